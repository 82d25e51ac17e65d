import { expectClose } from "@webmoe/webgpu/testing";
import { test } from "vitest";
import { checkGradient, random, valuesOf } from "../testing";
import { logSumExp, softmax } from "./softmax";

const logSumExpOf = (row: ArrayLike<number>) => Math.log(Array.from(row, Math.exp).reduce((a, b) => a + b));

test.each([[[3, 5]], [[1]], [[2, 2, 7]]])("softmax and logSumExp of %j", async (shape) => {
  await checkGradient(softmax, [shape]);
  await checkGradient(logSumExp, [shape]);
});

test("values", async () => {
  const x = random([2, 5]);
  const totals = [logSumExpOf(x.data.subarray(0, 5)), logSumExpOf(x.data.subarray(5))];
  expectClose(await valuesOf(logSumExp, [x]), totals);
  expectClose(
    await valuesOf(softmax, [x]),
    x.data.map((value, i) => Math.exp(value - totals[Math.floor(i / 5)]!)),
  );
});

test("huge scores do not overflow", async () => {
  const x = { shape: [1, 3], data: Float32Array.of(1e4, 1e4, -1e4) };
  expectClose(await valuesOf(softmax, [x]), [0.5, 0.5, 0]);
  expectClose(await valuesOf(logSumExp, [x]), [1e4 + Math.log(2)]);
});
