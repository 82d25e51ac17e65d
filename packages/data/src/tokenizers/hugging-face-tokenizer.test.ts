import { Tokenizer as Library } from "@huggingface/tokenizers";
import { expect, test } from "vitest";
import { byteTokenizer } from "./byte-tokenizer";
import { readTokenizer } from "./hugging-face-tokenizer";

const wordPiece = {
  added_tokens: [],
  normalizer: {
    type: "BertNormalizer",
    clean_text: true,
    handle_chinese_chars: true,
    strip_accents: null,
    lowercase: true,
  },
  pre_tokenizer: { type: "BertPreTokenizer" },
  post_processor: null,
  decoder: { type: "WordPiece", prefix: "##", cleanup: true },
  model: {
    type: "WordPiece",
    unk_token: "[UNK]",
    continuing_subword_prefix: "##",
    max_input_chars_per_word: 100,
    vocab: { "[UNK]": 0, the: 1, wh: 2, "##ale": 3, ".": 4 },
  },
};

test("the byte tokenizer's file is the byte tokenizer", async () => {
  const json = byteTokenizer().toJSON();
  const tokenizer = await readTokenizer(JSON.parse(JSON.stringify(json)));
  const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  expect([...tokenizer.encodeBytes(bytes)]).toEqual([...bytes]);
  expect(tokenizer.encode("é\r\n ☃")).toEqual(byteTokenizer().encode("é\r\n ☃"));
  expect(tokenizer.byteLengths).toEqual(byteTokenizer().byteLengths);
});

test("word by word is the same as Hugging Face's whole text, marks in it too", async () => {
  const { added_tokens: _, ...json } = byteTokenizer().toJSON();
  const mark = {
    id: 256,
    content: "<|end|>",
    special: true,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
  };
  const words = { ...json, added_tokens: [mark] };
  words.model.merges = [
    ["t", "h"],
    ["Ġ", "t"],
  ];
  words.model.vocab = { ...(json.model.vocab as Record<string, number>), th: 257, Ġt: 258 };
  const pattern = { Regex: "\\p{L}+|[^\\p{L}]" };
  const split = { type: "Split", pattern, behavior: "Isolated", invert: false };
  const level = { type: "ByteLevel", add_prefix_space: false, use_regex: false };
  const sequence = { ...words, pre_tokenizer: { type: "Sequence", pretokenizers: [split, level] } };
  const text = "the  that's <|end|>the\n\nt th<|end|><|end|";
  for (const variant of [words, sequence]) {
    const tokenizer = await readTokenizer(variant);
    expect([...tokenizer.encode(text)]).toEqual(new Library(variant, {}).encode(text).ids);
    expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
    expect(tokenizer.vocab).toBe(259);
    expect(tokenizer.byteLengths).toBeDefined();
  }
});

test("a tokenizer that looks at whole texts", async () => {
  const tokenizer = await readTokenizer(wordPiece);
  expect([...tokenizer.encode("The whale.")]).toEqual([1, 2, 3, 4]);
  expect(tokenizer.byteLengths).toBeUndefined();
  const stream = tokenizer.decoder();
  const parts = [1, 2, 3].map((token) => stream.push([token])).join("") + stream.end();
  expect(parts).toBe(tokenizer.decode([1, 2, 3]));
});

test("what is no tokenizer is refused with its name", async () => {
  for (const json of [null, 3, {}, { model: {} }, { model: { vocab: null } }, []]) {
    await expect(readTokenizer(json, "some.json")).rejects.toThrow(/some\.json/);
  }
  for (const id of [2 ** 40, -1, 0.5, "7"]) {
    await expect(readTokenizer({ model: { type: "BPE", vocab: { a: id }, merges: [] } }, "far.json")).rejects.toThrow(
      /far\.json/,
    );
  }
  await expect(readTokenizer({ model: { type: "BPE", vocab: {}, merges: [] } })).rejects.toThrow(/has none/);
  const gap = { model: { type: "Unheard", vocab: { a: 0 } }, pre_tokenizer: { type: "Odd" } };
  await expect(readTokenizer(gap, "odd.json")).rejects.toThrow(/odd\.json/);
});
