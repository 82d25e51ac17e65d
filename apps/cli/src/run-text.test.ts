import { mkdtemp, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sets, webmoeIn } from "./run-webmoe";

const folder = await mkdtemp(join(tmpdir(), "webmoe-text-"));
const rows = Array.from({ length: 400 }, (_, i) =>
  JSON.stringify({ id: i, body: `Whale number ${i} — naïve — swam ${i * i} miles.` }),
);
await writeFile(join(folder, "whales.jsonl"), rows.join("\n"));

// A cache of its own.
const webmoe = webmoeIn(folder, { WEBMOE_CACHE: join(folder, "cache") });
const small = sets("model.dim=16", "model.context=16", "batch.size=2", "moe.hidden=8", "router.dim=8");
const train = (...args: string[]) => webmoe("train", ...small, ...args);

const read = async (path: string) => JSON.parse(await readFile(join(folder, path), "utf8"));

test("a BPE is trained on rows, kept with the run, and used by resume, eval and sample", async () => {
  const choice = ["tokenizer.name=bpe", "tokenizer.vocab=300", "documents.column=body", "documents.separator=<|end|>"];
  const first = await train("--data", "whales.jsonl", "--out", "a", "--steps", "4", ...sets(...choice));
  expect(first.error).toBe("");
  expect(first.out).toContain("in 300 bpe tokens");
  expect((await read("a/config.json")).config.model.vocab).toBe(300);
  const tokenizer = await read("a/tokenizer.json");
  expect(tokenizer.added_tokens[0].content).toBe("<|end|>");
  const lines = (await readFile(join(folder, "a/metrics.jsonl"), "utf8"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const { loss, bitsPerByte } = lines.find((line) => line.split === "validation");
  // Tokens of more than a byte: fewer bits a byte than a token.
  expect(bitsPerByte).toBeLessThan(loss / Math.LN2 / 1.5);

  const [tokens] = await readdir(join(folder, "cache", "tokens"));
  const { mtimeMs } = await stat(join(folder, "cache", "tokens", tokens!));
  const evaluated = JSON.parse((await webmoe("eval", "--from", "a", "--json")).out);
  expect(evaluated.bitsPerByte).toBeCloseTo(bitsPerByte, 5);
  await writeFile(join(folder, "a", "tokenizer.json"), JSON.stringify(tokenizer, undefined, 1));
  expect((await webmoe("train", "--resume", "a", "--steps", "6")).code).toBe(0);
  const again = await stat(join(folder, "cache", "tokens", tokens!));
  expect(again.mtimeMs).toBe(mtimeMs);
  expect(await readdir(join(folder, "cache", "tokens"))).toHaveLength(1);
  const sampled = await webmoe("sample", "--from", "a", "--prompt", "Whale", "--tokens", "8");
  expect(sampled.out.startsWith("Whale")).toBe(true);
});

test("with documents.pack=false a sequence is a document, and padding goes to no expert", async () => {
  const choice = ["documents.column=body", "documents.pack=false", "model.context=128"];
  const { code, error } = await train("--data", "whales.jsonl", "--out", "p", "--steps", "2", ...sets(...choice));
  expect([code, error]).toEqual([0, ""]);
  const [first] = (await readFile(join(folder, "p/metrics.jsonl"), "utf8")).split("\n");
  const { loss, router } = JSON.parse(first!);
  const assignments = router.load[0].reduce((sum: number, count: number) => sum + count, 0);
  // Two sequences of 128 places to two experts each would be 512; a document has fewer than 60 bytes.
  expect(assignments).toBeLessThan(2 * 2 * 60);
  expect(assignments).toBeGreaterThan(2 * 2 * 30);
  expect(loss).toBeLessThan(7);
});

test("characters and GPT-2; a vocabulary that is too small, and texts that are not there, are named", async () => {
  const at = ["--data", "whales.jsonl", "--steps", "1", "--set", "documents.column=body"];
  const characters = await train(...at, "--out", "c", "--set", "tokenizer.name=characters");
  expect(characters.code).toBe(0);
  const { vocab } = (await read("c/config.json")).config.model;
  expect(vocab).toBe(Object.keys((await read("c/tokenizer.json")).model.vocab).length);
  const few = await train(...at, "--set", "tokenizer.name=gpt2", "--set", "model.vocab=1000");
  expect(few.error).toContain("model.vocab: needs at least 50257 for the gpt2 tokenizer, got 1000");
  expect((await train("--data", "whale.jsonl")).error).toMatch(/needs a file, a folder, a pattern.*enwik8/);
  expect((await train(...at, "--set", "tokenizer.name=file")).error).toContain("tokenizer.file: needs");
});
