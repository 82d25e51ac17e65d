import { describe, expect, test } from "vitest";
import { expectClose, kernelTargets, runKernel, testNumbers } from "../testing";
import { attentionDelta, attentionDeltaHalves } from "./attention-delta";
import { packHalves } from "./pack-halves";

describe.each(kernelTargets)("delta, $name", ({ target }) => {
  test.each([
    [1, 1, 1, 4],
    [2, 9, 3, 6],
    [1, 40, 2, 44],
  ])("batch %i, context %i, %i heads of %i", async (batch, context, heads, headDim) => {
    const out = testNumbers(batch * context * heads * headDim);
    const dout = testNumbers(out.length, 2);
    const expected = new Float32Array(batch * heads * context);
    for (let i = 0; i < out.length; i++) {
      const [head, token] = [Math.floor(i / headDim) % heads, Math.floor(i / headDim / heads)];
      expected[(Math.floor(token / context) * heads + head) * context + (token % context)]! += out[i]! * dout[i]!;
    }
    const sizes = { batch, context, heads, headDim };
    const { delta } = await runKernel(target, attentionDelta, { out, dout, delta: expected.length }, sizes);
    expectClose(delta, expected);
    if (target.kernelClass === "serial" || headDim % 4 !== 0) return;
    const written = { delta: expected.length, halves: out.length / 2 };
    const both = await runKernel(target, attentionDeltaHalves, { out, dout, ...written }, sizes);
    expect(both.delta).toEqual(delta);
    const packing = { x: dout, y: dout.length / 2 };
    const packed = await runKernel(target, packHalves, packing, { items: dout.length / 2 });
    expect(both.u32("halves")).toEqual(packed.u32("y"));
  });
});
