import { describe, test } from "vitest";
import { expectClose, kernelTargets, runKernel, testNumbers } from "../testing";
import { logSumExpForward, softmaxBackward, softmaxForward } from "./softmax";

function softmax(x: Float32Array, cols: number): Float32Array {
  const y = new Float32Array(x.length);
  for (let start = 0; start < x.length; start += cols) {
    const exps = Array.from(x.subarray(start, start + cols), Math.exp);
    const total = exps.reduce((a, b) => a + b);
    exps.forEach((e, c) => {
      y[start + c] = e / total;
    });
  }
  return y;
}

describe.each(kernelTargets)("softmax, $name", ({ target }) => {
  test.each([
    [1, 1],
    [3, 7],
    [5, 128],
    [2, 129],
    [67, 1000],
  ])("%i rows of %i", async (rows, cols) => {
    const x = testNumbers(rows * cols);
    const dy = testNumbers(rows * cols, 2);
    const y = softmax(x, cols);
    const dx = y.map((value, i) => {
      const start = i - (i % cols);
      let product = 0;
      for (let c = 0; c < cols; c++) product += y[start + c]! * dy[start + c]!;
      return value * (dy[i]! - product);
    });
    const forward = await runKernel(target, softmaxForward, { x, y: x.length }, { rows, cols });
    expectClose(forward.y, y);
    const backward = await runKernel(target, softmaxBackward, { y, dy, dx: y.length }, { rows, cols });
    expectClose(backward.dx, dx);
    const large = x.map((value) => 90 + value); // exp(90) has no f32
    const { y: lse } = await runKernel(target, logSumExpForward, { x: large, y: rows }, { rows, cols });
    const sums = Array.from({ length: rows }, (_, r) =>
      x.subarray(r * cols, (r + 1) * cols).reduce((sum, value) => sum + Math.exp(value), 0),
    );
    expectClose(
      lse,
      sums.map((sum) => 90 + Math.log(sum)),
    );
  });
});
