import { describe, test } from "vitest";
import { checkMatrixShader, expectClose, matrixTarget, runKernel, testGpu, testNumbers } from "../testing";
import { attentionBackwardKeyValue, attentionBackwardQuery, attentionDelta, attentionForward } from "./attention";
import { attentionByLoop } from "./attention-by-loop";

const { matrixUnits } = (await testGpu()).target;

/** Rounding of operands to f16, in sums of up to a few hundred terms. */
const TOLERANCE = 4e-3;

describe("attention on matrix units", () => {
  test.each([
    [1, 128, 1, 64, 2],
    [2, 200, 2, 32, 2],
    [1, 37, 3, 64, 1],
    [1, 300, 1, 128, 1],
    // Scores so large, and growing along the keys, that sums are rescaled on the way.
    [1, 130, 1, 64, 30],
  ])("batch %i, context %i, %i heads of %i, scores about %i", async (batch, context, heads, headDim, size) => {
    const sizes = { batch, context, heads, headDim };
    for (const kernel of [attentionForward, attentionBackwardQuery, attentionBackwardKeyValue]) {
      await checkMatrixShader(kernel as typeof attentionForward, sizes);
    }
    for (const out of ["besides", "instead"] as const) {
      await checkMatrixShader(attentionForward, sizes, undefined, { out });
    }
    if (!matrixUnits) return;
    const qkv = testNumbers(batch * context * 3 * heads * headDim).map((value, i) => {
      const [token, part] = [Math.floor(i / (3 * heads * headDim)) % context, Math.floor(i / (heads * headDim)) % 3];
      if (part === 2 || size < 10) return 2 * value;
      // Queries and keys that agree, keys longer and longer.
      return (part === 1 ? token / context : 1) * Math.sqrt((size * 3) / Math.sqrt(headDim)) * (0.9 + 0.1 * value);
    });
    const dout = testNumbers(batch * context * heads * headDim, 2);
    const expected = attentionByLoop(qkv, dout, batch, context, heads, headDim);
    const rows = batch * heads * context;
    const forward = await runKernel(matrixTarget, attentionForward, { qkv, out: dout.length, lse: rows }, sizes);
    expectClose(forward.out, expected.out, TOLERANCE);
    expectClose(forward.lse, expected.lse, TOLERANCE);
    const { out, lse } = forward;
    const { delta } = await runKernel(matrixTarget, attentionDelta, { out, dout, delta: rows }, sizes);
    expectClose(delta, expected.delta, 4 * TOLERANCE);
    const given = { qkv, dout, lse, delta };
    const first = await runKernel(matrixTarget, attentionBackwardQuery, { ...given, dqkv: qkv.length }, sizes);
    const second = { ...given, dqkv: first.dqkv };
    const { dqkv } = await runKernel(matrixTarget, attentionBackwardKeyValue, second, sizes);
    expectClose(dqkv, expected.dqkv, 4 * TOLERANCE);
  });
});
