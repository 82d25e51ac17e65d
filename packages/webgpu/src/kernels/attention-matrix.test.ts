import { describe, test } from "vitest";
import {
  checkMatrixShader,
  expectClose,
  matrixTarget,
  packedHalves,
  runKernel,
  testGpu,
  testNumbers,
} from "../testing";
import { attentionBackwardKeyValue, attentionBackwardQuery, attentionForward, attentionTurnsBack } from "./attention";
import { attentionByLoop } from "./attention-by-loop";
import { rope } from "./rope";

const { matrixUnits } = (await testGpu()).target;

/** Rounding of operands to f16, in sums of up to a few hundred terms. */
const TOLERANCE = 4e-3;

const operands = { halves: true };

describe("attention on matrix units", () => {
  test.each([
    [1, 128, 1, 64, 2],
    [2, 200, 2, 32, 2],
    [1, 37, 3, 64, 1],
    [1, 300, 1, 128, 1],
    // Heads filled up with zeros: of whole units of eight halfs, and of halves of them.
    [1, 70, 2, 72, 1],
    [2, 40, 2, 44, 1],
    [1, 50, 1, 20, 1],
    // Scores so large, and growing along the keys, that sums are rescaled on the way.
    [1, 130, 1, 64, 30],
  ])("batch %i, context %i, %i heads of %i, scores about %i", async (batch, context, heads, headDim, size) => {
    const sizes = { batch, context, heads, headDim };
    for (const kernel of [attentionForward, attentionBackwardQuery, attentionBackwardKeyValue]) {
      await checkMatrixShader(kernel as typeof attentionForward, sizes, operands);
    }
    for (const out of ["besides", "instead"] as const) {
      await checkMatrixShader(attentionForward, sizes, operands, { out });
    }
    const turns = attentionTurnsBack(sizes);
    const turning = { ...operands, turnBack: 100 };
    for (const kernel of [attentionBackwardQuery, attentionBackwardKeyValue]) {
      for (const dqkv of ["besides", "instead"] as const) {
        const untyped = kernel as typeof attentionForward;
        await checkMatrixShader(untyped, sizes, operands, { dqkv });
        if (turns) await checkMatrixShader(untyped, sizes, turning, { dqkv });
      }
    }
    if (!matrixUnits) return;
    const values = testNumbers(batch * context * 3 * heads * headDim).map((value, i) => {
      const [token, part] = [Math.floor(i / (3 * heads * headDim)) % context, Math.floor(i / (heads * headDim)) % 3];
      if (part === 2 || size < 10) return 2 * value;
      // Queries and keys that agree, keys longer and longer.
      return (part === 1 ? token / context : 1) * Math.sqrt((size * 3) / Math.sqrt(headDim)) * (0.9 + 0.1 * value);
    });
    const dout = testNumbers(batch * context * heads * headDim, 2);
    const expected = attentionByLoop(values, dout, batch, context, heads, headDim);
    const qkv = await packedHalves(values);
    const rows = batch * heads * context;
    const forward = await runKernel(
      matrixTarget,
      attentionForward,
      { qkv, out: dout.length, lse: rows },
      sizes,
      operands,
    );
    expectClose(forward.out, expected.out, TOLERANCE);
    expectClose(forward.lse, expected.lse, TOLERANCE);
    const inputs = { qkv, dout: await packedHalves(dout), lse: forward.lse };
    const query = { ...inputs, out: await packedHalves(forward.out), delta: rows, dqkv: values.length };
    const first = await runKernel(matrixTarget, attentionBackwardQuery, query, sizes, operands);
    expectClose(first.delta, expected.delta, 4 * TOLERANCE);
    const second = { ...inputs, delta: first.delta, dqkv: first.dqkv };
    const { dqkv } = await runKernel(matrixTarget, attentionBackwardKeyValue, second, sizes, operands);
    expectClose(dqkv, expected.dqkv, 4 * TOLERANCE);
    if (!turns) return;
    const back = { tokens: batch * context, context, heads, headDim, base: turning.turnBack, direction: -1 };
    const turned = await runKernel(matrixTarget, rope, { x: dqkv, y: dqkv.length }, back);
    const half = await runKernel(matrixTarget, attentionBackwardQuery, query, sizes, turning);
    const whole = { ...second, dqkv: half.dqkv };
    const fused = await runKernel(matrixTarget, attentionBackwardKeyValue, whole, sizes, turning);
    expectClose(fused.dqkv, turned.y, 1e-4);
  });
});
