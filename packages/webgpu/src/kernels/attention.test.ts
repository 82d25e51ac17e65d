import { describe, test } from "vitest";
import { expectClose, kernelTargets, runKernel, testNumbers } from "../testing";
import { attentionBackwardKeyValue, attentionBackwardQuery, attentionDelta, attentionForward } from "./attention";

/** Forward and backward with a row of scores in hand. */
function attention(
  qkv: Float32Array,
  dout: Float32Array,
  batch: number,
  context: number,
  heads: number,
  headDim: number,
) {
  const out = new Float64Array(dout.length);
  const lse = new Float64Array(batch * heads * context);
  const delta = new Float64Array(lse.length);
  const dqkv = new Float64Array(qkv.length);
  const scale = 1 / Math.sqrt(headDim);
  for (let b = 0; b < batch; b++) {
    for (let h = 0; h < heads; h++) {
      const part = (t: number, which: number) => (((b * context + t) * 3 + which) * heads + h) * headDim;
      for (let t = 0; t < context; t++) {
        const row = (b * heads + h) * context + t;
        const at = ((b * context + t) * heads + h) * headDim;
        const scores: number[] = [];
        for (let k = 0; k <= t; k++) {
          let score = 0;
          for (let d = 0; d < headDim; d++) score += qkv[part(t, 0) + d]! * qkv[part(k, 1) + d]!;
          scores.push(score * scale);
        }
        lse[row] = Math.log(scores.reduce((total, score) => total + Math.exp(score), 0));
        const p = scores.map((score) => Math.exp(score - lse[row]!));
        const dp = p.map((weight, k) => {
          let product = 0;
          for (let d = 0; d < headDim; d++) {
            out[at + d]! += weight * qkv[part(k, 2) + d]!;
            product += dout[at + d]! * qkv[part(k, 2) + d]!;
          }
          return product;
        });
        for (let d = 0; d < headDim; d++) delta[row]! += out[at + d]! * dout[at + d]!;
        p.forEach((weight, k) => {
          const ds = weight * (dp[k]! - delta[row]!) * scale;
          for (let d = 0; d < headDim; d++) {
            dqkv[part(t, 0) + d]! += ds * qkv[part(k, 1) + d]!;
            dqkv[part(k, 1) + d]! += ds * qkv[part(t, 0) + d]!;
            dqkv[part(k, 2) + d]! += weight * dout[at + d]!;
          }
        });
      }
    }
  }
  return { out, lse, delta, dqkv };
}

// Software adapters take seconds to compile a tiled kernel: few widths there, which between them cross every tile edge.
const shapes: Record<string, [number, number, number, number][]> = {
  serial: [
    [1, 1, 1, 1],
    [2, 37, 3, 5],
    [1, 70, 2, 32],
    [2, 9, 1, 128],
  ],
  tiled: [
    [2, 37, 2, 5],
    [1, 66, 1, 40],
    [1, 18, 2, 70],
    [1, 40, 1, 128],
  ],
};

describe.each(kernelTargets)("attention, $name", ({ target }) => {
  test.each(shapes[target.kernelClass]!)(
    "batch %i, context %i, %i heads of %i",
    async (batch, context, heads, headDim) => {
      const qkv = testNumbers(batch * context * 3 * heads * headDim).map((value) => 2 * value);
      const dout = testNumbers(batch * context * heads * headDim, 2);
      const expected = attention(qkv, dout, batch, context, heads, headDim);
      const sizes = { batch, context, heads, headDim };
      const rows = batch * heads * context;
      const forward = await runKernel(target, attentionForward, { qkv, out: dout.length, lse: rows }, sizes);
      expectClose(forward.out, expected.out);
      expectClose(forward.lse, expected.lse);
      const { out, lse } = forward;
      const { delta } = await runKernel(target, attentionDelta, { out, dout, delta: rows }, sizes);
      expectClose(delta, expected.delta);
      const first = await runKernel(target, attentionBackwardQuery, { qkv, dout, lse, delta, dqkv: qkv.length }, sizes);
      const { dqkv } = await runKernel(
        target,
        attentionBackwardKeyValue,
        { qkv, dout, lse, delta, dqkv: first.dqkv },
        sizes,
      );
      expectClose(dqkv, expected.dqkv, 2e-5);
    },
    240_000,
  );
});
