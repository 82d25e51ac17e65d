import { expect, test } from "vitest";
import { byteTokenizer } from "../tokenizers/byte-tokenizer";
import { labelsOf } from "./example";
import { encodeExamples, inOrder, labelledBatches, splitExamples } from "./labelled-batches";

const examples = Array.from({ length: 10 }, (_, index) => ({ text: `text ${index}`, label: index % 3 ? "b" : "a" }));
const options = { tokenizer: byteTokenizer(), labels: labelsOf(examples), context: 6 };
const encoded = encodeExamples(examples, options);

test("texts are cut to the context, and a class that training had none of is refused", () => {
  expect(encoded[4]).toEqual({ tokens: Uint32Array.from(Buffer.from("text 4")), label: 1 });
  expect(encodeExamples([{ text: "longer than six", label: "a" }], options)[0]!.tokens).toHaveLength(6);
  expect(() => encodeExamples([{ text: "x", label: "c" }], options)).toThrow(/needs a class of a, b, got "c"/);
});

test("an epoch sees every example once, whatever the batch, and steps are functions of the seed", () => {
  const at = labelledBatches(encoded, 2);
  const last = (tokens: Uint32Array) => [0, 1].map((row) => tokens[row * 6 + 5]!);
  const seen = [1, 2, 3].flatMap((step) =>
    [0, 1].flatMap((micro) => last(at({ seed: 1, step, micro, batch: 2, context: 6 }).tokens)),
  );
  expect(new Set(seen.slice(0, 10)).size).toBe(10);
  const again = labelledBatches(encoded, 2)({ seed: 1, step: 3, micro: 1, batch: 2, context: 6 });
  expect(last(again.tokens)).toEqual(seen.slice(10));
  expect(at({ seed: 2, step: 1, micro: 0, batch: 4, context: 6 })).not.toEqual(
    at({ seed: 1, step: 1, micro: 0, batch: 4, context: 6 }),
  );
});

test("the last batch in order is filled up with what does not count", () => {
  const batches = inOrder(encoded, { batch: 4, context: 6 });
  expect(batches.map(({ labels }) => [...labels])).toEqual([
    [0, 1, 1, 0],
    [1, 1, 0, 1],
    [1, 0, 0xffffffff, 0xffffffff],
  ]);
  expect([...batches[2]!.lengths]).toEqual([6, 6, 1, 1]);
});

test("a tenth is kept apart, the same one every time", () => {
  const { train, validation } = splitExamples(examples);
  expect(validation).toHaveLength(1);
  expect(new Set([...train, ...validation])).toEqual(new Set(examples));
  expect(splitExamples(examples)).toEqual({ train, validation });
});
