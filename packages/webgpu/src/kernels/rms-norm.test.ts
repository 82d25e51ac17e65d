import { describe, test } from "vitest";
import { expectClose, kernelTargets, runKernel, testNumbers } from "../testing";
import { columnSum } from "./reduce";
import { rmsNormBackward, rmsNormForward, rmsNormWeightGradient } from "./rms-norm";

const eps = 1e-5;

describe.each(kernelTargets)("RMS norm, $name", ({ target }) => {
  test.each([
    [1, 1, 1],
    [3, 7, 2],
    [300, 36, 9],
    [5, 129, 4],
    [67, 300, 7],
  ])("%i rows of %i, weight gradient in %i chunks", async (rows, cols, chunks) => {
    const x = testNumbers(rows * cols);
    const weight = testNumbers(cols, 2);
    const dy = testNumbers(rows * cols, 3);
    const y = new Float32Array(x.length);
    const dx = new Float32Array(x.length);
    const inverse = new Float32Array(rows);
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
    const forward = await runKernel(
      target,
      rmsNormForward,
      { x, weight, y: x.length, inverse: rows },
      { rows, cols, eps },
    );
    expectClose(forward.y, y);
    expectClose(forward.inverse, inverse);
    const backward = await runKernel(target, rmsNormBackward, { x, weight, inverse, dy, dx: x.length }, { rows, cols });
    expectClose(backward.dx, dx);
    const sums = await runKernel(
      target,
      rmsNormWeightGradient,
      { x, inverse, dy, partial: chunks * cols },
      { rows, cols, chunks },
    );
    const total = await runKernel(target, columnSum, { x: sums.partial, y: cols }, { rows: chunks, cols, chunks: 1 });
    expectClose(total.y, dweight);
  });
});
