import { describe, test } from "vitest";
import { expectClose, kernelTargets, runKernel, testNumbers } from "../testing";
import { attentionBackwardKeyValue, attentionBackwardQuery, attentionForward } from "./attention";
import { attentionByLoop } from "./attention-by-loop";

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
    [2, 70, 2, 32],
    [1, 37, 1, 64],
  ],
  // Smaller tiles, and gradients whose tiles do not fit.
  "tiled with 16 KiB": [
    [1, 37, 1, 64],
    [1, 20, 1, 128],
  ],
};

const little = { name: "tiled with 16 KiB", target: { ...kernelTargets[1]!.target, workgroupMemory: 16384 } };

describe.each([...kernelTargets, little])("attention, $name", ({ name, target }) => {
  test.each(shapes[name] ?? shapes[target.kernelClass]!)(
    "batch %i, context %i, %i heads of %i",
    async (batch, context, heads, headDim) => {
      const qkv = testNumbers(batch * context * 3 * heads * headDim).map((value) => 2 * value);
      const dout = testNumbers(batch * context * heads * headDim, 2);
      const expected = attentionByLoop(qkv, dout, batch, context, heads, headDim);
      const sizes = { batch, context, heads, headDim };
      const rows = batch * heads * context;
      const forward = await runKernel(target, attentionForward, { qkv, out: dout.length, lse: rows }, sizes);
      expectClose(forward.out, expected.out);
      expectClose(forward.lse, expected.lse);
      const { out, lse } = forward;
      const given = { qkv, dout, lse };
      const query = { ...given, out, delta: rows, dqkv: qkv.length };
      const first = await runKernel(target, attentionBackwardQuery, query, sizes);
      expectClose(first.delta, expected.delta);
      const second = { ...given, delta: first.delta, dqkv: first.dqkv };
      const { dqkv } = await runKernel(target, attentionBackwardKeyValue, second, sizes);
      expectClose(dqkv, expected.dqkv, 2e-5);
    },
    240_000,
  );
});
