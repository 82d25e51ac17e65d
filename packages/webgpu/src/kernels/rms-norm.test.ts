import { describe, test } from "vitest";
import { expectClose, kernelTargets, runKernel, testNumbers } from "../testing";
import { columnSum } from "./reduce";
import {
  addRmsNormBackward,
  addRmsNormForward,
  rmsNormBackward,
  rmsNormForward,
  rmsNormWeightGradient,
} from "./rms-norm";

const eps = 1e-5;

/** Everything there is to know of a norm, row by row. */
function normByLoop(x: Float32Array, weight: Float32Array, dy: Float32Array, rows: number, cols: number) {
  const [y, dx, inverse] = [new Float32Array(x.length), new Float32Array(x.length), new Float32Array(rows)];
  const dweight = new Float64Array(cols);
  for (let r = 0; r < rows; r++) {
    const at = r * cols;
    let squares = 0;
    let product = 0;
    for (let c = 0; c < cols; c++) squares += x[at + c]! ** 2;
    const scale = 1 / Math.sqrt(squares / cols + eps);
    inverse[r] = scale;
    for (let c = 0; c < cols; c++) product += dy[at + c]! * weight[c]! * x[at + c]! * scale;
    for (let c = 0; c < cols; c++) {
      const normal = x[at + c]! * scale;
      y[at + c] = normal * weight[c]!;
      dx[at + c] = scale * (dy[at + c]! * weight[c]! - (normal * product) / cols);
      dweight[c]! += normal * dy[at + c]!;
    }
  }
  return { y, dx, inverse, dweight };
}

describe.each(kernelTargets)("RMS norm, $name", ({ target }) => {
  test.each([
    [1, 1, 1],
    [3, 7, 2],
    [300, 36, 9],
    [5, 129, 4],
    [67, 300, 7],
  ])("%i rows of %i, weight gradient in %i chunks", async (rows, cols, chunks) => {
    const [x, weight, dy] = [testNumbers(rows * cols), testNumbers(cols, 2), testNumbers(rows * cols, 3)];
    const { y, dx, inverse, dweight } = normByLoop(x, weight, dy, rows, cols);
    const given = { x, weight, y: x.length, inverse: rows };
    const forward = await runKernel(target, rmsNormForward, given, { rows, cols, eps });
    expectClose(forward.y, y);
    expectClose(forward.inverse, inverse);
    const backward = await runKernel(target, rmsNormBackward, { x, weight, inverse, dy, dx: x.length }, { rows, cols });
    expectClose(backward.dx, dx);
    const parts = { x, inverse, dy, partial: chunks * cols };
    const sums = await runKernel(target, rmsNormWeightGradient, parts, { rows, cols, chunks });
    const total = await runKernel(target, columnSum, { x: sums.partial, y: cols }, { rows: chunks, cols, chunks: 1 });
    expectClose(total.y, dweight);
  });

  test.each([
    [1, 1],
    [3, 7],
    [67, 300],
  ])("of a sum, %i rows of %i", async (rows, cols) => {
    const [x, branch] = [testNumbers(rows * cols), testNumbers(rows * cols, 4)];
    const [weight, dy, dskip] = [testNumbers(cols, 2), testNumbers(rows * cols, 3), testNumbers(rows * cols, 5)];
    const sum = x.map((value, i) => value + branch[i]!);
    const { y, dx, inverse } = normByLoop(sum, weight, dy, rows, cols);
    const given = { x, branch, weight, sum: x.length, y: x.length, inverse: rows };
    const forward = await runKernel(target, addRmsNormForward, given, { rows, cols, eps });
    expectClose(forward.sum, sum, 0);
    expectClose(forward.y, y);
    expectClose(forward.inverse, inverse);
    const back = { x: sum, weight, inverse, dy, dskip, dx: x.length };
    const backward = await runKernel(target, addRmsNormBackward, back, { rows, cols });
    expectClose(
      backward.dx,
      dx.map((value, i) => value + dskip[i]!),
    );
  });
});
