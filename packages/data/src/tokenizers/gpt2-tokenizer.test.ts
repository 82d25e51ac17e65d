import { Tokenizer as Library } from "@huggingface/tokenizers";
import { expect, test } from "vitest";
import { gpt2Tokenizer } from "./gpt2-tokenizer";
import { readTokenizer } from "./hugging-face-tokenizer";

const tokenizer = await gpt2Tokenizer();
const text = "Call me Ishmael. It's   2026:\r\n\n\tnaïve ☃ 鯨🐳 <|endoftext|> don't  ";

test("known values of GPT-2", () => {
  expect(tokenizer.vocab).toBe(50257);
  expect([...tokenizer.encode("Hello world")]).toEqual([15496, 995]);
  expect([...tokenizer.encode("<|endoftext|>")]).toEqual([50256]);
});

test("every byte string comes back", () => {
  expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
  const bytes = Uint8Array.from({ length: 5000 }, (_, i) => Math.imul(i, 2654435761) >>> 13);
  const tokens = tokenizer.encodeBytes(bytes);
  expect(tokenizer.decodeBytes(tokens)).toEqual(bytes);
  expect(Math.max(...tokens)).toBeLessThan(50257);
  expect(tokens.reduce((sum, token) => sum + tokenizer.byteLengths![token]!, 0)).toBe(bytes.length);
});

test("half a surrogate pair is a replacement character", () => {
  expect(tokenizer.decode(tokenizer.encode("a\ud83dz"))).toBe("a\ufffdz");
});

test("its tokenizer.json gives the same tokens in Hugging Face's library and here", async () => {
  const json = JSON.parse(JSON.stringify(tokenizer.toJSON()));
  expect(new Library(json, {}).encode(text).ids).toEqual([...tokenizer.encode(text)]);
  const again = await readTokenizer(json, "gpt2");
  expect(again.encode(text)).toEqual(tokenizer.encode(text));
  expect(again.vocab).toBe(50257);
});
