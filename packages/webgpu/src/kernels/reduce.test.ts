import { describe, test } from "vitest";
import { expectClose, kernelTargets, runKernel, testNumbers } from "../testing";
import { columnSum, rowSum, sumMiddle } from "./reduce";

/** Sum the middle axis of [outer, reduced, inner]. */
function sums(x: Float32Array, outer: number, reduced: number, inner: number): Float64Array {
  const y = new Float64Array(outer * inner);
  for (let o = 0; o < outer; o++) {
    for (let r = 0; r < reduced; r++) {
      for (let i = 0; i < inner; i++) y[o * inner + i]! += x[(o * reduced + r) * inner + i]!;
    }
  }
  return y;
}

describe.each(kernelTargets)("sums, $name", ({ target }) => {
  test.each([
    [1, 1],
    [3, 7],
    [130, 129],
    [2, 1000],
    [2, 2052],
  ])("of %i rows of %i", async (rows, cols) => {
    const x = testNumbers(rows * cols);
    const { y } = await runKernel(target, rowSum, { x, y: rows }, { rows, cols });
    expectClose(y, sums(x, rows, cols, 1));
  });

  test.each([
    [1, 1, 1],
    [1, 65, 3],
    [4, 5, 67],
    [130, 2, 1],
  ])("of the middle of [%i, %i, %i]", async (outer, reduced, inner) => {
    const x = testNumbers(outer * reduced * inner);
    const { y } = await runKernel(target, sumMiddle, { x, y: outer * inner }, { outer, reduced, inner });
    expectClose(y, sums(x, outer, reduced, inner));
  });

  test.each([
    [1, 1, 1],
    [9, 70, 4],
    [5, 3, 4],
    [300, 65, 8],
    [4100, 24, 16],
    [700, 200, 3],
  ])("of the columns of [%i, %i] in %i chunks", async (rows, cols, chunks) => {
    const x = testNumbers(rows * cols);
    const first = await runKernel(target, columnSum, { x, y: chunks * cols }, { rows, cols, chunks });
    const { y } = await runKernel(target, columnSum, { x: first.y, y: cols }, { rows: chunks, cols, chunks: 1 });
    expectClose(y, sums(x, 1, rows, cols));
  });
});
