import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openCorpus } from "./corpora/open-corpus";
import { readTokenizerFile, tokenizerFor } from "./tokenizer-for";

const folder = await mkdtemp(join(tmpdir(), "webmoe-tokenizer-"));
const path = join(folder, "text.jsonl");
const stories = ["A naïve whale swam. ", "The whale ☃ swam, the whale sang."];
await writeFile(path, stories.map((text) => JSON.stringify({ text })).join("\n"));
const corpus = await openCorpus(path);
const whole = `${stories.join("\n")}\n`;

test("every name gives a tokenizer that keeps the corpus, with its file", async () => {
  for (const [choice, vocab] of [
    [{ name: "bytes" }, 256],
    [{ name: "characters" }, new Set(whole).size + 1],
    [{ name: "gpt2" }, 50257],
    [{ name: "bpe", vocab: 270 }, 270],
  ] as const) {
    const tokenizer = await tokenizerFor(choice, corpus);
    expect(tokenizer.vocab).toBe(vocab);
    const file = join(folder, `${choice.name}.json`);
    await writeFile(file, JSON.stringify(tokenizer.toJSON()));
    for (const each of [tokenizer, await readTokenizerFile(file), await tokenizerFor({ name: "file", file }, corpus)]) {
      expect(each.encode(whole)).toEqual(tokenizer.encode(whole));
      expect(each.decode(each.encode(whole))).toBe(whole);
    }
  }
});

test("a mark between documents is a token of the trained BPE", async () => {
  const tokenizer = await tokenizerFor({ name: "bpe", vocab: 260 }, corpus, "<|end|>");
  expect([...tokenizer.encode("<|end|>")]).toEqual([259]);
});

test("files that are no tokenizers are named", async () => {
  await expect(tokenizerFor({ name: "file" }, corpus)).rejects.toThrow(/tokenizer.file: needs the path/);
  await expect(readTokenizerFile(join(folder, "none.json"))).rejects.toThrow(/none\.json" cannot be read/);
  await writeFile(join(folder, "broken.json"), "{");
  await expect(readTokenizerFile(join(folder, "broken.json"))).rejects.toThrow(/needs JSON in .*broken\.json/);
});
