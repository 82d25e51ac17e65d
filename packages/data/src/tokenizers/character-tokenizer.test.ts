import { Tokenizer as Library } from "@huggingface/tokenizers";
import { expect, test } from "vitest";
import { characterSet, characterTokenizer } from "./character-tokenizer";
import { readTokenizer } from "./hugging-face-tokenizer";

const set = characterSet();
set.add("naïve ☃");
set.add("🐳 ate 123\n");
const tokenizer = characterTokenizer(set.list());

test("characters round-trip, one token each", () => {
  const text = "a 🐳 ate 3 ☃\n";
  const tokens = tokenizer.encode(text);
  expect(tokens).toHaveLength([...text].length);
  expect(tokenizer.decode(tokens)).toBe(text);
  expect(tokenizer.encodeBytes(new TextEncoder().encode(text))).toEqual(tokens);
  const bytes = tokens.reduce((sum, token) => sum + tokenizer.byteLengths![token]!, 0);
  expect(bytes).toBe(new TextEncoder().encode(text).length);
});

test("an unknown character is token 0", () => {
  expect([...tokenizer.encode("aé")]).toEqual([tokenizer.encode("a")[0], 0]);
  expect(tokenizer.decode([0])).toBe("\ufffd");
});

test("its file is read back, and by Hugging Face's library", async () => {
  const json = JSON.parse(JSON.stringify(tokenizer.toJSON()));
  const again = await readTokenizer(json);
  expect([again.name, again.vocab]).toEqual(["characters", tokenizer.vocab]);
  const text = "tie 21\n🐳☃";
  expect(again.encode(text)).toEqual(tokenizer.encode(text));
  // The library has no number for an unknown character of this kind of model.
  const known = "naïve 12\n🐳☃";
  expect(new Library(json, {}).encode(known).ids).toEqual([...tokenizer.encode(known)]);
});

test("a list that is no list of characters is refused", () => {
  for (const list of [[], ["ab"], ["a", "a"], [""]])
    expect(() => characterTokenizer(list)).toThrow(/single characters/);
});
