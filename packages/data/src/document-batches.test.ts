import { expect, test } from "vitest";
import { IGNORED } from "./batches";
import { documentBatchAt, documentsWithin } from "./document-batches";

// Documents of 3, 1, 12 and 4 tokens; a token tells its document and place.
const lengths = [3, 1, 12, 4];
const starts = [0, 3, 4, 16, 20];
const tokens = Uint32Array.from(lengths.flatMap((length, doc) => Array.from({ length }, (_, i) => doc * 100 + i)));
const documents = { count: 4, start: (index: number) => starts[index]! };
const at = { seed: 1, step: 1, batch: 8, context: 6 };

test("sequences stay within a document, and what is past its end is ignored", () => {
  const seen = new Set<number>();
  const places = new Set<number>();
  for (let step = 1; step < 50; step++) {
    const { tokens: x, targets } = documentBatchAt(tokens, documents, { ...at, step });
    for (let row = 0; row < 8; row++) {
      const first = x[row * 6]!;
      const doc = Math.floor(first / 100);
      seen.add(doc);
      if (doc === 2) places.add(first % 100);
      const count = Math.min(6, lengths[doc]! - 1);
      const expected = Array.from({ length: 6 }, (_, i) => (i < count ? first + i + 1 : IGNORED));
      expect([...targets.subarray(row * 6, row * 6 + 6)]).toEqual(expected);
    }
  }
  expect([...seen].sort()).toEqual([0, 2, 3]); // one token has no target
  expect([...places].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5]);
});

test("a function of seed, step and micro-batch", () => {
  expect(documentBatchAt(tokens, documents, at)).toEqual(documentBatchAt(tokens, documents, { ...at }));
  expect(documentBatchAt(tokens, documents, at)).not.toEqual(documentBatchAt(tokens, documents, { ...at, micro: 1 }));
});

test("documents within a part are those that end in it", () => {
  for (const [length, count] of [
    [0, 0],
    [2, 0],
    [3, 1],
    [4, 2],
    [15, 2],
    [16, 3],
    [19, 3],
    [20, 4],
  ] as const) {
    expect(documentsWithin(documents, length).count).toBe(count);
  }
});

test("the last document of a part ends where the next one begins", () => {
  const part = documentsWithin(documents, 18);
  for (let step = 1; step < 30; step++) {
    const { targets } = documentBatchAt(tokens.subarray(0, 18), part, { ...at, context: 14, step });
    expect([...targets].some((target) => target !== IGNORED && target >= 300)).toBe(false);
  }
});

test("nothing to draw is an error", () => {
  expect(() => documentBatchAt(tokens, { ...documents, count: 0 }, at)).toThrow(/whole document/);
  const singles = { count: 2, start: (index: number) => index };
  expect(() => documentBatchAt(tokens.subarray(0, 2), singles, at)).toThrow(/two tokens/);
});
