import { expectClose } from "@webmoe/webgpu/testing";
import { describe, expect, test } from "vitest";
import type { Tensor } from "../tensor";
import { checkGradient, type GivenInput, valuesOf } from "../testing";
import { takeColumns, topK, topKSoftmax } from "./top-k";

// Scores far enough apart that a step of the differences does not change the choice.
const logits: GivenInput = {
  shape: [3, 5],
  data: Float32Array.of(0.3, -0.5, 0.9, 0.1, -0.2, 1.1, 0.4, -0.7, 0.2, 0.8, -0.9, 0.6, 0.0, 0.35, -0.3),
};
const mask = (...values: number[]): GivenInput => ({
  shape: [values.length],
  data: Float32Array.from(values),
  fixed: true,
});

describe.each([true, false])("renormalize %s", (renormalize) => {
  test.each([1, 3])("gradients through the weights and the probabilities, top %i", async (topK) => {
    const all = mask(1, 1, 1);
    await checkGradient((x, mask) => topKSoftmax(x, mask, topK, renormalize).weight, [logits, all]);
    await checkGradient((x, mask) => topKSoftmax(x, mask, topK, renormalize).probabilities, [logits, all]);
  });

  test("a masked row chooses nothing and has no gradient", async () => {
    const some = mask(1, 0, 1);
    const choose = (x: Tensor, mask: Tensor) => topKSoftmax(x, mask, 2, renormalize);
    await checkGradient((x, mask) => choose(x, mask).weight, [logits, some]);
    const expert = await valuesOf((x, mask) => choose(x, mask).expert, [logits, some]);
    expect([...expert]).toEqual([2, 0, 0xffffffff, 0xffffffff, 1, 3]);
    const weight = await valuesOf((x, mask) => choose(x, mask).weight, [logits, some]);
    expect([...weight.slice(2, 4)]).toEqual([0, 0]);
  });
});

test("renormalised weights are the softmax over the chosen", async () => {
  const weight = await valuesOf((x, m) => topKSoftmax(x, m, 2, true).weight, [logits, mask(1, 1, 1)]);
  const share = 1 / (1 + Math.exp(0.3 - 0.9));
  expectClose(weight.slice(0, 2), [share, 1 - share]);
});

test("more experts a token than there are is an error", async () => {
  await expect(valuesOf((x, m) => topKSoftmax(x, m, 6, true).weight, [logits, mask(1, 1, 1)])).rejects.toThrow(
    "topKSoftmax: needs logits [T, E] with at least 6 columns, got [3, 5]",
  );
});

test("topK and takeColumns", async () => {
  expect([...(await valuesOf((x) => topK(x, 2), [logits]))]).toEqual([2, 0, 0, 4, 1, 3]);
  expectClose(await valuesOf((x) => takeColumns(x, topK(x, 2)), [logits]), [0.9, 0.3, 1.1, 0.8, 0.6, 0.35]);
  await checkGradient((x) => takeColumns(x, topK(x, 2)), [logits]);
  await expect(valuesOf((x) => topK(x, 6), [logits])).rejects.toThrow(
    "topK: needs x [R, C] with at least 6 columns, got [3, 5]",
  );
});
