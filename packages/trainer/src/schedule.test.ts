import { expect, test } from "vitest";
import { learningRate } from "./schedule";

const optimizer = {
  name: "adamw" as const,
  momentum: 0,
  matrixLr: 0,
  lr: 1,
  beta1: 0.9,
  beta2: 0.95,
  eps: 1e-8,
  weightDecay: 0,
  decay: "matrices" as const,
  clip: 1,
};
const cosine = {
  optimizer,
  schedule: { name: "cosine" as const, warmup: 10, decay: 0.2, minLr: 0.1 },
  train: { steps: 110 },
};

test("warm-up rises linearly and reaches the full rate", () => {
  expect(learningRate(1, cosine)).toBeCloseTo(0.1);
  expect(learningRate(10, cosine)).toBe(1);
});

test("the cosine is half way between both ends in the middle and ends at the minimum", () => {
  expect(learningRate(60, cosine)).toBeCloseTo(0.55);
  expect(learningRate(110, cosine)).toBeCloseTo(0.1);
});

test("a constant schedule stays", () => {
  const constant = { ...cosine, schedule: { ...cosine.schedule, name: "constant" as const, warmup: 0 } };
  expect([1, 50, 110].map((step) => learningRate(step, constant))).toEqual([1, 1, 1]);
});

test("a line falls evenly to the minimum", () => {
  const linear = { ...cosine, schedule: { ...cosine.schedule, name: "linear" as const } };
  expect(learningRate(10, linear)).toBe(1);
  expect(learningRate(60, linear)).toBeCloseTo(0.55);
  expect(learningRate(85, linear)).toBeCloseTo(0.325);
  expect(learningRate(110, linear)).toBeCloseTo(0.1);
});

test("warm-up, stable, decay stays until the last fifth and falls in a line", () => {
  const wsd = { ...cosine, schedule: { ...cosine.schedule, name: "wsd" as const } };
  expect(learningRate(5, wsd)).toBeCloseTo(0.5);
  expect([11, 50, 88].map((step) => learningRate(step, wsd))).toEqual([1, 1, 1]);
  expect(learningRate(99, wsd)).toBeCloseTo(0.55);
  expect(learningRate(110, wsd)).toBeCloseTo(0.1);
});

test("a decay as long as the run is a line from the end of the warm-up", () => {
  const whole = { ...cosine, schedule: { ...cosine.schedule, name: "wsd" as const, decay: 1 } };
  expect(learningRate(60, whole)).toBeCloseTo(0.55);
});
