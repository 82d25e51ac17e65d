import { expect, test } from "vitest";
import { learningRate } from "./schedule";

const optimizer = { lr: 1, beta1: 0.9, beta2: 0.95, eps: 1e-8, weightDecay: 0, decay: "matrices" as const, clip: 1 };
const cosine = { optimizer, schedule: { name: "cosine" as const, warmup: 10, minLr: 0.1 }, train: { steps: 110 } };

test("warm-up rises linearly and reaches the full rate", () => {
  expect(learningRate(1, cosine)).toBeCloseTo(0.1);
  expect(learningRate(10, cosine)).toBe(1);
});

test("the cosine is half way between both ends in the middle and ends at the minimum", () => {
  expect(learningRate(60, cosine)).toBeCloseTo(0.55);
  expect(learningRate(110, cosine)).toBeCloseTo(0.1);
});

test("a constant schedule stays", () => {
  const constant = { ...cosine, schedule: { name: "constant" as const, warmup: 0, minLr: 0.1 } };
  expect([1, 50, 110].map((step) => learningRate(step, constant))).toEqual([1, 1, 1]);
});
