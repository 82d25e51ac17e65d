import { reshape, type Tensor } from "@webmoe/tensor";
import { checkGradient, type GivenInput, valuesOf } from "@webmoe/tensor/testing";
import { expectClose } from "@webmoe/webgpu/testing";
import { expect, test } from "vitest";
import { matrixSelection, shares, sigmoidTopK, topKSelection } from "./selections";
import { NO_EXPERT, type Selection, softmaxTopK } from "./selector";

const scores: GivenInput = {
  shape: [3, 4],
  data: Float32Array.of(0.1, 0.9, 0.4, 0.3, 0.8, 0.2, 0.6, 0.5, 0.7, 0.1, 0.2, 0.9),
};
const mask: GivenInput = { shape: [3], data: Float32Array.of(1, 0, 1), fixed: true };
const bias: GivenInput = { shape: [3, 4], data: Float32Array.of(1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0), fixed: true };

const logitsOf = (logits: Tensor, mask: Tensor, topK: number) =>
  ({ logits, mask, topK, index: 0, training: true }) as Parameters<ReturnType<typeof softmaxTopK>>[0];

test("experts are chosen by one matrix and weighted by another; padding has none", async () => {
  const choose = (field: keyof Selection, renormalize: boolean) =>
    valuesOf(
      (scores, choice, mask) => topKSelection({ choice, scores, mask, topK: 2, renormalize })[field] as Tensor,
      [scores, bias, mask],
    );
  expect([...(await choose("expert", true))]).toEqual([0, 1, NO_EXPERT, NO_EXPERT, 1, 0]);
  expect([...(await choose("token", true))]).toEqual([0, 0, 1, 1, 2, 2]);
  expectClose(await choose("weight", false), [0.1, 0.9, 0, 0, 0.1, 0.7]);
  expectClose(await choose("weight", true), [0.1, 0.9, 0, 0, 0.125, 0.875]);
  expectClose((await choose("probabilities", true)).slice(0, 5), [0.1 / 1.7, 0.9 / 1.7, 0.4 / 1.7, 0.3 / 1.7, 0]);
});

test("the gradient of weights reaches the scores", async () => {
  for (const renormalize of [true, false]) {
    await checkGradient(
      (scores, choice, mask) => topKSelection({ choice, scores, mask, topK: 2, renormalize }).weight,
      [scores, bias, mask],
    );
  }
  await checkGradient((x, mask) => sigmoidTopK()(logitsOf(x, mask, 2)).weight, [scores, mask]);
});

test("softmax over all, top K, renormalise is softmax over the top K", async () => {
  const all = { ...mask, data: Float32Array.of(1, 1, 1) };
  const weight = await valuesOf((x, mask) => softmaxTopK()(logitsOf(x, mask, 2)).weight, [scores, all]);
  const expected = [0, 1, 2].flatMap((t) => {
    const best = [...scores.data.slice(t * 4, t * 4 + 4)].sort((a, b) => b - a).slice(0, 2);
    const total = best.reduce((sum, x) => sum + Math.exp(x), 0);
    return best.map((x) => Math.exp(x) / total);
  });
  expectClose(weight, expected);
});

test("a matrix as a choice", async () => {
  const chosen: GivenInput = { shape: [3, 4], data: Float32Array.of(1, 0, 1, 0, 0, 0, 0, 0, 1, 1, 1, 1) };
  const select = (field: keyof Selection) =>
    valuesOf(
      (weight, chosen) => matrixSelection({ chosen, weight, probabilities: weight })[field] as Tensor,
      [scores, chosen],
    );
  const none = NO_EXPERT;
  expect([...(await select("expert"))]).toEqual([0, none, 2, none, none, none, none, none, 0, 1, 2, 3]);
  expect([...(await select("token"))]).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]);
  expectClose(await select("weight"), [0.1, 0, 0.4, 0, 0, 0, 0, 0, 0.7, 0.1, 0.2, 0.9]);
});

test("shares of nothing are nothing", async () => {
  const zeros = { shape: [2, 2], data: Float32Array.of(0, 0, 1, 3) };
  const ones = { shape: [2], data: Float32Array.of(1, 1), fixed: true };
  expectClose(await valuesOf((x, mask) => shares(x, reshape(mask, [2, 1])), [zeros, ones]), [0, 0, 0.25, 0.75]);
});
