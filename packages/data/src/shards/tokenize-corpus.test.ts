import { mkdtemp, readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { batchAt, splitTokens, validationBatches } from "../batches";
import type { Corpus } from "../corpora/corpus";
import { byteTokenizer } from "../tokenizers/byte-tokenizer";
import { gpt2Tokenizer } from "../tokenizers/gpt2-tokenizer";
import { openShards } from "./shard-reader";
import { tokenizeCorpus } from "./tokenize-corpus";

const cache = await mkdtemp(join(tmpdir(), "webmoe-tokens-"));
const utf8 = new TextEncoder();

/** A corpus of texts, read in pieces of a few bytes, which counts how often it is read. */
function corpusOf(texts: string[], version = "1", piece = 1000): Corpus & { reads: number } {
  return {
    name: "test",
    separator: "",
    reads: 0,
    sources: texts.map((text, index) => `${index} ${text.length} ${version}`),
    size: texts.reduce((sum, text) => sum + utf8.encode(text).length, 0),
    async *read() {
      this.reads++;
      for (const text of texts) {
        const bytes = utf8.encode(text);
        for (let at = 0; at < bytes.length; at += piece) {
          yield { bytes: bytes.slice(at, at + piece), end: at + piece >= bytes.length };
        }
      }
    },
  };
}

const text = Array.from(
  { length: 4000 },
  (_, i) => `The ${i}th whale — naïve ☃, it's been seen ${i * i} times.\n`,
).join("");

test("batches of shards are those of an array, across files", async () => {
  const tokens = await tokenizeCorpus(corpusOf([text]), byteTokenizer(), { cache, shardTokens: 777 });
  const array = utf8.encode(text);
  expect(tokens.manifest.shards.length).toBe(Math.ceil(array.length / 777));
  expect(tokens.manifest.width).toBe(1);
  expect(tokens.manifest.bytes).toBe(array.length);
  const inFiles = splitTokens(tokens);
  const inMemory = splitTokens(array);
  for (let step = 1; step < 20; step++) {
    const at = { seed: 3, step, batch: 4, context: 900 };
    expect(batchAt(inFiles.train, at)).toEqual(batchAt(inMemory.train, at));
  }
  const held = { batch: 2, context: 64, batches: 5 };
  expect(validationBatches(inFiles.validation, held)).toEqual(validationBatches(inMemory.validation, held));
  expect(() => inFiles.validation.read(-1, new Uint32Array(4))).toThrow(/range within/);
  expect(() => inFiles.validation.read(inFiles.validation.length - 3, new Uint32Array(4))).toThrow(/range within/);
  tokens.close();
});

test("tokens of blocks are those of the whole text", async () => {
  const tokenizer = await gpt2Tokenizer();
  const long = text.repeat(12); // three blocks
  const tokens = await tokenizeCorpus(corpusOf([long], "long", 99_991), tokenizer, { cache });
  expect(tokens.manifest.width).toBe(2);
  const all = new Uint32Array(tokens.length);
  tokens.read(0, all);
  expect(Buffer.compare(Buffer.from(all.buffer), Buffer.from(tokenizer.encode(long).buffer))).toBe(0);
  expect(tokens.manifest.bytes).toBe(utf8.encode(long).length);
  tokens.close();
});

test("the cache is used while corpus, tokenizer and separator stay the same", async () => {
  const corpus = corpusOf(["one two", "three"]);
  const first = await tokenizeCorpus(corpus, byteTokenizer(), { cache, separator: "\n" });
  const again = await tokenizeCorpus(corpus, byteTokenizer(), { cache, separator: "\n" });
  expect(corpus.reads).toBe(1);
  const all = new Uint32Array(again.length);
  again.read(0, all);
  expect(byteTokenizer().decode(all)).toBe("one two\nthree\n");
  expect([again.documentStart(0), again.documentStart(1), again.manifest.documents]).toEqual([0, 8, 2]);
  expect(() => again.documentStart(2)).toThrow(/below 2/);
  await tokenizeCorpus(corpus, byteTokenizer(), { cache });
  await tokenizeCorpus(corpus, await gpt2Tokenizer(), { cache, separator: "\n" });
  expect(corpus.reads).toBe(3);
  const changed = corpusOf(["one two", "three"], "2");
  await tokenizeCorpus(changed, byteTokenizer(), { cache, separator: "\n" });
  expect(changed.reads).toBe(1);
  expect(first.length).toBe(14);
});

test("a damaged shard is made again, and nothing is left of an attempt that failed", async () => {
  const folder = await mkdtemp(join(tmpdir(), "webmoe-tokens-"));
  const corpus = corpusOf(["some text"]);
  (await tokenizeCorpus(corpus, byteTokenizer(), { cache: folder })).close();
  const [name] = await readdir(join(folder, "tokens"));
  await truncate(join(folder, "tokens", name!, "00000.u8"), 3);
  await expect(openShards(join(folder, "tokens", name!))).rejects.toThrow(/needs 9 bytes.*got 3/);
  expect((await tokenizeCorpus(corpus, byteTokenizer(), { cache: folder })).length).toBe(9);
  expect(corpus.reads).toBe(2);
  const failing = {
    ...corpusOf(["x"], "3"),
    read: async function* () {
      yield { bytes: utf8.encode("x"), end: false };
      throw new Error("unplugged");
    },
  };
  await expect(tokenizeCorpus(failing, byteTokenizer(), { cache: folder })).rejects.toThrow("unplugged");
  expect(await readdir(join(folder, "tokens"))).toEqual([name]);
});

test("a manifest that leads out of its folder, or lies, is refused", async () => {
  const folder = await mkdtemp(join(tmpdir(), "webmoe-tokens-"));
  (await tokenizeCorpus(corpusOf(["some text"]), byteTokenizer(), { cache: folder })).close();
  const [name] = await readdir(join(folder, "tokens"));
  const shards = join(folder, "tokens", name!);
  const manifest = JSON.parse(await readFile(join(shards, "manifest.json"), "utf8"));
  for (const [change, message] of [
    [{ shards: [{ file: "../../../etc/passwd", tokens: 9 }] }, /lists/],
    [{ shards: [{ file: "00000.u8/../x", tokens: 9 }] }, /lists/],
    [{ tokens: 2 ** 60 }, /tokens/],
    [{ tokens: 10 }, /10 tokens/],
    [{ width: 3 }, /width/],
    [{ documents: 2 }, /16 bytes/],
    [{ format: 2 }, /format/],
  ] as const) {
    await writeFile(join(shards, "manifest.json"), JSON.stringify({ ...manifest, ...change }));
    await expect(openShards(shards)).rejects.toThrow(message);
  }
});
