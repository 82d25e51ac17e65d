import { expectClose } from "@webmoe/webgpu/testing";
import { expect, test } from "vitest";
import type { Tensor } from "../tensor";
import { checkGradient, random, valuesOf } from "../testing";
import { gruGates } from "./gru";

const gates = (...[input, hidden, inputBias, hiddenBias, state]: Tensor[]) =>
  gruGates({ input: input!, hidden: hidden!, inputBias: inputBias!, hiddenBias: hiddenBias!, state: state! });

test.each([
  [1, 1],
  [3, 2],
])("gradients of every input, %i rows of width %i", (rows, width) =>
  checkGradient(gates, [[rows, 3 * width], [rows, 3 * width], [3 * width], [3 * width], [rows, width]]),
);

test("a shut update gate lets the candidate through, an open one keeps the state", async () => {
  const zeros = (...shape: number[]) => ({ shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) });
  const input = { shape: [2, 3], data: Float32Array.of(0, -30, 0.7, 0, 30, 0.7) }; // reset, update, candidate
  const state = { shape: [2, 1], data: Float32Array.of(-0.4, -0.4) };
  expectClose(await valuesOf(gates, [input, zeros(2, 3), zeros(3), zeros(3), state]), [Math.tanh(0.7), -0.4]);
});

test("a bias of another width is an error", async () => {
  const inputs = [random([2, 9]), random([2, 9]), random([9]), random([3]), random([2, 3])];
  await expect(valuesOf(gates, inputs)).rejects.toThrow(
    "gruGates: hiddenBias needs 9 elements for a state [2, 3], got f32[3]",
  );
});
