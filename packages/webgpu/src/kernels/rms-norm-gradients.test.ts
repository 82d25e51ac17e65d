import { describe, expect, test } from "vitest";
import { compileKernel, type Kernel } from "../kernel";
import {
  checkShaders,
  expectClose,
  kernelTargets,
  matrixTarget,
  runKernel,
  serialTarget,
  testGpu,
  testNumbers,
} from "../testing";
import { addRmsNormGradients, rmsNormChunks, rmsNormGradients } from "./rms-norm-gradients";

const tiled = kernelTargets[1]!.target;

/** dx and the weight's gradient by the formulas. */
function byLoop({ x, weight, inverse, dy, dskip }: Record<"x" | "weight" | "inverse" | "dy" | "dskip", Float32Array>) {
  const [rows, cols] = [inverse.length, weight.length];
  const dx = Float32Array.from(dskip);
  const dweight = new Float64Array(cols);
  for (let r = 0; r < rows; r++) {
    let mean = 0;
    for (let c = 0; c < cols; c++) mean += (dy[r * cols + c]! * weight[c]! * x[r * cols + c]! * inverse[r]!) / cols;
    for (let c = 0; c < cols; c++) {
      const at = r * cols + c;
      dx[at]! += inverse[r]! * (dy[at]! * weight[c]! - x[at]! * inverse[r]! * mean);
      dweight[c]! += x[at]! * inverse[r]! * dy[at]!;
    }
  }
  return { dx, dweight };
}

describe("both gradients of an RMS norm", () => {
  // Below, at and past the eight rows of a pass, chunks of fewer rows at the end, one and several column vectors a lane.
  test.each([
    [1, 128, 1],
    [8, 128, 1],
    [70, 256, 4],
  ])("%i rows of %i in %i chunks", async (rows, cols, chunks) => {
    const gpu = await testGpu();
    const target = gpu.target.matrixUnits ? { ...tiled, subgroups: true, matrixUnits: true } : tiled;
    const matrix = (seed: number) => testNumbers(rows * cols, seed);
    const given = { x: matrix(1), weight: testNumbers(cols, 2), inverse: testNumbers(rows, 3), dy: matrix(4) };
    const sizes = { rows, cols, chunks };
    const lengths = { dx: rows * cols, partial: chunks * cols };
    const sumOf = (partial: Float32Array) =>
      Float64Array.from({ length: cols }, (_, c) =>
        Array.from({ length: chunks }, (_, chunk) => partial[chunk * cols + c]!).reduce((a, b) => a + b),
      );
    const alone = await runKernel(target, rmsNormGradients, { ...given, ...lengths }, sizes);
    const expected = byLoop({ ...given, dskip: new Float32Array(rows * cols) });
    expectClose(alone.dx, expected.dx);
    expectClose(sumOf(alone.partial), expected.dweight, 1e-4);
    const dskip = matrix(5);
    const skipping = await runKernel(target, addRmsNormGradients, { ...given, dskip, ...lengths }, sizes);
    expectClose(skipping.dx, byLoop({ ...given, dskip }).dx);
    expect(skipping.partial).toEqual(alone.partial);
  });

  test("the variant for subgroups of 32 compiles", async () => {
    const sizes = { rows: 300, cols: 768, chunks: 38 };
    for (const kernel of [rmsNormGradients, addRmsNormGradients] as unknown as Kernel<string, string>[]) {
      await checkShaders([compileKernel(kernel, sizes, matrixTarget, undefined, { dx: "besides" })]);
    }
  });

  test("rows of other widths are for the other kernels", () => {
    expect(rmsNormChunks({ rows: 8192, cols: 512 }, tiled)).toBe(256);
    expect(rmsNormChunks({ rows: 60, cols: 1024 }, tiled)).toBe(8);
    for (const cols of [64, 264, 1152]) expect(rmsNormChunks({ rows: 60, cols }, tiled)).toBeUndefined();
    expect(rmsNormChunks({ rows: 60, cols: 128 }, serialTarget)).toBeUndefined();
  });
});
