import { describe, expect, test } from "vitest";
import type { KernelTarget } from "../kernel";
import { expectClose, kernelTargets, runKernel, serialTarget, testNumbers } from "../testing";
import { attentionByLoop } from "./attention-by-loop";
import {
  droppedAttentionBackwardKeyValue,
  droppedAttentionBackwardQuery,
  droppedAttentionForward,
} from "./attention-dropout";

const dropoutKey = Uint32Array.of(11, 42);

/** What the forward kernel multiplies weights by, [rows, context]: with equal scores and one-hot values they are its results. */
async function maskOf(target: KernelTarget, batch: number, context: number, heads: number, rate: number) {
  const headDim = context;
  const qkv = new Float32Array(batch * context * 3 * heads * headDim);
  for (let row = 0; row < batch * context; row++) {
    for (let h = 0; h < heads; h++) qkv[((row * 3 + 2) * heads + h) * headDim + (row % context)] = 1;
  }
  const rows = batch * heads * context;
  const sizes = { batch, context, heads, headDim, rate };
  const { out } = await runKernel(
    target,
    droppedAttentionForward,
    { qkv, dropoutKey, out: rows * headDim, lse: rows },
    sizes,
  );
  return (row: number, key: number) => {
    const [t, h, b] = [row % context, Math.floor(row / context) % heads, Math.floor(row / (context * heads))];
    return (t + 1) * out[((b * context + t) * heads + h) * headDim + key]!;
  };
}

// A tiled kernel takes a software adapter long to compile: one shape, that crosses the edge of a tile.
const shapes: Record<string, [number, number, number, number][]> = {
  serial: [
    [2, 37, 2, 5],
    [1, 70, 1, 32],
  ],
  tiled: [[2, 37, 2, 5]],
};

test("dropout drops the share that it is told, and the rest keeps the expectation", async () => {
  const [context, rate] = [40, 0.3];
  const mask = await maskOf(serialTarget, 1, context, 2, rate);
  let kept = 0;
  let all = 0;
  for (let row = 0; row < 2 * context; row++) {
    for (let key = 0; key <= row % context; key++) {
      const factor = mask(row, key);
      if (factor > 0) expect(factor).toBeCloseTo(1 / (1 - rate), 4);
      kept += factor > 0 ? 1 : 0;
      all++;
    }
  }
  // Five standard deviations of a share of 1640.
  expect(Math.abs(kept / all - (1 - rate))).toBeLessThan(5 * Math.sqrt((rate * (1 - rate)) / all));
});

// Subgroups change nothing here.
describe.each(kernelTargets.slice(0, 2))("attention with dropout, $name", ({ target }) => {
  test.each(shapes[target.kernelClass]!)(
    "batch %i, context %i, %i heads of %i: forward and backward of one mask, whatever the class",
    async (batch, context, heads, headDim) => {
      const rate = 0.4;
      const mask = await maskOf(serialTarget, batch, context, heads, rate);
      const qkv = testNumbers(batch * context * 3 * heads * headDim).map((value) => 2 * value);
      const dout = testNumbers(batch * context * heads * headDim, 2);
      const expected = attentionByLoop(qkv, dout, batch, context, heads, headDim, mask);
      const sizes = { batch, context, heads, headDim };
      const rows = batch * heads * context;
      const given = { qkv, dropoutKey };
      const forward = await runKernel(
        target,
        droppedAttentionForward,
        { ...given, out: dout.length, lse: rows },
        { ...sizes, rate },
      );
      expectClose(forward.out, expected.out);
      expectClose(forward.lse, expected.lse);
      const { out, lse } = forward;
      const back = { ...given, dout, lse };
      const first = await runKernel(
        target,
        droppedAttentionBackwardQuery,
        { ...back, out, delta: rows, dqkv: qkv.length },
        { ...sizes, rate },
      );
      expectClose(first.delta, expected.delta);
      const { dqkv } = await runKernel(
        target,
        droppedAttentionBackwardKeyValue,
        { ...back, delta: first.delta, dqkv: first.dqkv },
        { ...sizes, rate },
      );
      expectClose(dqkv, expected.dqkv, 2e-5);
    },
    240_000,
  );
});
