import { expect, test } from "vitest";
import { toAlphabet } from "./byte-alphabet";
import { readTokenizer } from "./hugging-face-tokenizer";
import { bpeTrainer } from "./train-bpe";
import { splitWords } from "./words";

const utf8 = new TextEncoder();
const text = `${"the whale, the whale! aaaaaaa aaaa aaaaaaaaaaa aa ".repeat(3)}whales' ways — été 1851\n\n  Ahab's leg\tabababab bababa`;

const train = (text: string, vocab: number, special?: string[]) => {
  const trainer = bpeTrainer({ vocab, special });
  trainer.add(utf8.encode(text));
  return trainer.finish();
};

/** Merges by counting every pair of the whole text before each. */
function slowMerges(text: string, wanted: number): string[] {
  let words = splitWords(text).map((word) => [...toAlphabet(utf8.encode(word))]);
  const ids = [...toAlphabet(Uint8Array.from({ length: 256 }, (_, byte) => byte))];
  const merges: string[] = [];
  while (ids.length < 256 + wanted) {
    const counts = new Map<string, number>();
    for (const word of words) {
      for (let i = 0; i + 1 < word.length; i++) {
        const pair = `${word[i]} ${word[i + 1]}`;
        counts.set(pair, (counts.get(pair) ?? 0) + 1);
      }
    }
    const order = (pair: string) => pair.split(" ").map((token) => ids.indexOf(token)) as [number, number];
    const [best] = [...counts].sort(
      ([a, m], [b, n]) => n - m || order(a)[0] - order(b)[0] || order(a)[1] - order(b)[1],
    );
    if (!best) break;
    merges.push(best[0]);
    const joined = best[0].replace(" ", "");
    if (!ids.includes(joined)) ids.push(joined);
    words = words.map((word) => {
      const merged: string[] = [];
      for (let i = 0; i < word.length; i++) {
        if (`${word[i]} ${word[i + 1]}` === best[0]) {
          merged.push(joined);
          i++;
        } else merged.push(word[i]!);
      }
      return merged;
    });
  }
  return merges;
}

test("merges are those of counting everything again", () => {
  const { model } = train(text, 256 + 60);
  expect(model.merges!.map((pair) => (pair as string[]).join(" "))).toEqual(slowMerges(text, 60));
});

test("a text in parts, and one that runs out of pairs", () => {
  const trainer = bpeTrainer({ vocab: 400 });
  for (const part of ["the whale ", "the whale"]) trainer.add(utf8.encode(part));
  const { vocab } = trainer.finish().model;
  expect(Object.keys(vocab!)).toContain("Ġwhale");
  expect(Object.keys(vocab!).length).toBeLessThan(270);
});

test("every byte string comes back, special tokens are found, lengths add up", async () => {
  const tokenizer = await readTokenizer(JSON.parse(JSON.stringify(train(text, 300, ["<|end|>"]))), "bpe");
  expect(tokenizer.vocab).toBe(300);
  expect([...tokenizer.encode("<|end|>")]).toEqual([299]);
  expect(tokenizer.encode("the whale").length).toBeLessThan(6);
  for (let round = 0; round < 200; round++) {
    const bytes = Uint8Array.from({ length: round }, (_, i) => Math.imul(i * 200 + round + 1, 2654435761) >>> 24);
    const tokens = tokenizer.encodeBytes(bytes);
    expect(tokenizer.decodeBytes(tokens)).toEqual(bytes);
    expect(tokens.reduce((sum, token) => sum + tokenizer.byteLengths![token]!, 0)).toBe(round);
  }
});

test("a vocabulary without room for the bytes is refused", () => {
  for (const vocab of [0, 255, 256.5, Number.NaN]) expect(() => bpeTrainer({ vocab })).toThrow(/at least 256/);
  expect(() => bpeTrainer({ vocab: 256, special: ["<|end|>"] })).toThrow(/at least 257/);
});
