import { describe, test } from "vitest";
import { expectClose, kernelTargets, runKernel, testNumbers } from "../testing";
import { gruBackward, gruForward } from "./gru";

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

describe.each(kernelTargets.slice(0, 2))("gru, $name", ({ target }) => {
  test.each([
    [1, 1],
    [3, 5],
    [7, 33],
  ])("%i rows of width %i", async (rows, width) => {
    const wide = rows * 3 * width;
    const [input, hidden] = [testNumbers(wide), testNumbers(wide, 2)];
    const [inputBias, hiddenBias] = [testNumbers(3 * width, 3), testNumbers(3 * width, 4)];
    const [state, dnext] = [testNumbers(rows * width, 5), testNumbers(rows * width, 6)];
    const next = new Float32Array(rows * width);
    const [dinput, dhidden, dstate] = [new Float32Array(wide), new Float32Array(wide), new Float32Array(rows * width)];
    for (let i = 0; i < rows * width; i++) {
      const [row, c] = [Math.floor(i / width), i % width];
      const part = (of: Float32Array, bias: Float32Array, third: number) =>
        of[row * 3 * width + third * width + c]! + bias[third * width + c]!;
      const r = sigmoid(part(input, inputBias, 0) + part(hidden, hiddenBias, 0));
      const z = sigmoid(part(input, inputBias, 1) + part(hidden, hiddenBias, 1));
      const candidate = part(hidden, hiddenBias, 2);
      const n = Math.tanh(part(input, inputBias, 2) + r * candidate);
      next[i] = (1 - z) * n + z * state[i]!;

      const d = dnext[i]!;
      const dn = d * (1 - z) * (1 - n * n);
      const dz = d * (state[i]! - n) * z * (1 - z);
      const dr = dn * candidate * r * (1 - r);
      [dr, dz, dn].forEach((value, third) => {
        dinput[row * 3 * width + third * width + c] = value;
        dhidden[row * 3 * width + third * width + c] = third === 2 ? value * r : value;
      });
      dstate[i] = d * z;
    }
    const sizes = { rows, width };
    const forward = await runKernel(
      target,
      gruForward,
      { input, hidden, inputBias, hiddenBias, state, next: rows * width, gates: rows * 4 * width },
      sizes,
    );
    expectClose(forward.next, next);
    const backward = await runKernel(
      target,
      gruBackward,
      { gates: forward.gates, state, dnext, dinput: wide, dhidden: wide, dstate: rows * width },
      sizes,
    );
    expectClose(backward.dinput, dinput);
    expectClose(backward.dhidden, dhidden);
    expectClose(backward.dstate, dstate);
  });

  test("gates that are wide open or shut stay finite", async () => {
    const given = {
      input: Float32Array.of(200, -200, 500),
      hidden: Float32Array.of(200, -200, 500),
      inputBias: new Float32Array(3),
      hiddenBias: new Float32Array(3),
      state: Float32Array.of(0.5),
    };
    const { next } = await runKernel(target, gruForward, { ...given, next: 1, gates: 4 }, { rows: 1, width: 1 });
    expectClose(next, [1]);
  });
});
