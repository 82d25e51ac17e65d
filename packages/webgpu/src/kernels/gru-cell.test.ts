import { describe, expect, test } from "vitest";
import {
  checkMatrixShader,
  expectClose,
  halfNumbers,
  matrixTarget,
  packedHalves,
  runKernel,
  testGpu,
  testNumbers,
  unpackedHalves,
} from "../testing";
import { gruCellBackward, gruCellForward, gruParameters } from "./gru-cell";

const { matrixUnits } = (await testGpu()).target;
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** The cell by one loop: its next state, and from dnext the gradients of [x | h], of both products, and of both biases. */
function byLoop(
  rows: number,
  p: number,
  given: Record<"x" | "state" | "inputWeight" | "hiddenWeight" | "inputBias" | "hiddenBias" | "dnext", Float32Array>,
) {
  const { x, state, inputWeight, hiddenWeight, inputBias, hiddenBias, dnext } = given;
  const made = (size: number) => new Float32Array(size);
  const next = made(rows * p);
  const [dx, dstate, dinput, dhidden] = [made(rows * p), made(rows * p), made(rows * 3 * p), made(rows * 3 * p)];
  const product = (a: Float32Array, weight: Float32Array, bias: Float32Array, row: number, out: number) => {
    let sum = bias[out]!;
    for (let k = 0; k < p; k++) sum += a[row * p + k]! * weight[out * p + k]!;
    return sum;
  };
  for (let row = 0; row < rows; row++) {
    for (let c = 0; c < p; c++) {
      const input = (third: number) => product(x, inputWeight, inputBias, row, third * p + c);
      const hidden = (third: number) => product(state, hiddenWeight, hiddenBias, row, third * p + c);
      const [r, z, candidate] = [sigmoid(input(0) + hidden(0)), sigmoid(input(1) + hidden(1)), hidden(2)];
      const n = Math.tanh(input(2) + r * candidate);
      const h = state[row * p + c]!;
      next[row * p + c] = n + z * (h - n);
      const d = dnext[row * p + c]!;
      const dn = d * (1 - z) * (1 - n * n);
      const slopes = [dn * candidate * r * (1 - r), d * (h - n) * z * (1 - z), dn];
      slopes.forEach((value, third) => {
        dinput[row * 3 * p + third * p + c] = value;
        dhidden[row * 3 * p + third * p + c] = third === 2 ? value * r : value;
      });
      dstate[row * p + c] = d * z;
    }
    for (let c = 0; c < p; c++) {
      for (let out = 0; out < 3 * p; out++) {
        dx[row * p + c]! += dinput[row * 3 * p + out]! * inputWeight[out * p + c]!;
        dstate[row * p + c]! += dhidden[row * 3 * p + out]! * hiddenWeight[out * p + c]!;
      }
    }
  }
  const dbias = Float32Array.from({ length: 6 * p }, (_, out) => {
    const [of, column] = out < 3 * p ? [dinput, out] : [dhidden, out - 3 * p];
    let total = 0;
    for (let row = 0; row < rows; row++) total += of[row * 3 * p + column]!;
    return total;
  });
  return { next, dx, dstate, dinput, dhidden, dbias };
}

describe.each([
  [64, 64],
  [128, 128],
  [192, 64],
])("%i rows of width %i", (rows, width) => {
  test("the shaders compile", async () => {
    await checkMatrixShader(gruCellForward, { rows, width, isFirst: 0 });
    await checkMatrixShader(gruCellBackward, { rows, width });
  });

  test("the cell is what a loop computes, forward and backward", async () => {
    if (!matrixUnits) return;
    const p = width;
    const given = {
      x: halfNumbers(rows * p),
      state: halfNumbers(rows * p, 2),
      inputWeight: halfNumbers(3 * p * p, 3).map((w) => w / 8),
      hiddenWeight: halfNumbers(3 * p * p, 4).map((w) => w / 8),
      inputBias: testNumbers(3 * p, 5),
      hiddenBias: testNumbers(3 * p, 6),
      dnext: testNumbers(rows * p, 7),
    };
    const expected = byLoop(rows, p, given);
    const { inputWeight, hiddenWeight, inputBias, hiddenBias, x, state, dnext } = given;
    const parameters = await runKernel(
      matrixTarget,
      gruParameters,
      { inputWeight, hiddenWeight, inputBias, hiddenBias, weights: 3 * p * p, biases: 6 * p },
      { width },
    );
    const [weights, biases] = [parameters.u32("weights"), parameters.biases];
    const forward = await runKernel(
      matrixTarget,
      gruCellForward,
      {
        xHalves: await packedHalves(x),
        state,
        weights,
        biases,
        next: rows * p,
        kept: rows * 3 * p,
        nextHalves: (rows * p) / 2,
      },
      { rows, width, isFirst: 0 },
    );
    expectClose(forward.next, expected.next, 1e-4);
    expectClose(unpackedHalves(forward.u32("nextHalves")), expected.next, 1e-3);
    const tiles = rows / 64;
    const backward = await runKernel(
      matrixTarget,
      gruCellBackward,
      {
        kept: forward.u32("kept"),
        dnext,
        weights,
        dx: rows * p,
        dstate: rows * p,
        dinput: (rows * 3 * p) / 2,
        dhidden: (rows * 3 * p) / 2,
        dbias: tiles * 6 * p,
      },
      { rows, width },
    );
    // Twice rounded to f16 on the way.
    expectClose(unpackedHalves(backward.u32("dinput")), expected.dinput, 2e-3);
    expectClose(unpackedHalves(backward.u32("dhidden")), expected.dhidden, 2e-3);
    expectClose(backward.dx, expected.dx, 5e-3);
    expectClose(backward.dstate, expected.dstate, 5e-3);
    const dbias = Float32Array.from({ length: 6 * p }, (_, i) =>
      Array.from({ length: tiles }, (_, tile) => backward.dbias[tile * 6 * p + i]!).reduce((a, b) => a + b),
    );
    expectClose(dbias, expected.dbias, 5e-3);
    expect(backward.dbias.every(Number.isFinite)).toBe(true);
  });
});
