import { describe, test } from "vitest";
import { expectClose, kernelTargets, runKernel, testNumbers } from "../testing";
import { cachedAttention, cacheStore } from "./attention-decode";

describe.each(kernelTargets)("attention with a cache, $name", ({ target }) => {
  test.each([
    [1, 0, 1, 1],
    [9, 4, 3, 5],
    [150, 149, 2, 32],
    [200, 70, 1, 6],
  ])("context %i, position %i, %i heads of %i", async (context, at, heads, headDim) => {
    const sizes = { context, heads, headDim };
    const width = heads * headDim;
    const qkv = testNumbers(3 * width);
    const cache = testNumbers(context * 2 * width, 2);
    const position = Uint32Array.of(at);
    const stored = cache.slice();
    stored.set(qkv.subarray(width), at * 2 * width);
    const store = await runKernel(target, cacheStore, { qkv, position, cache }, sizes);
    expectClose(store.cache, stored, 0);

    const expected = new Float64Array(width);
    for (let h = 0; h < heads; h++) {
      const weights = Array.from({ length: at + 1 }, (_, t) => {
        let score = 0;
        for (let d = 0; d < headDim; d++) score += qkv[h * headDim + d]! * stored[(2 * t * heads + h) * headDim + d]!;
        return Math.exp(score / Math.sqrt(headDim));
      });
      const total = weights.reduce((a, b) => a + b);
      weights.forEach((weight, t) => {
        for (let d = 0; d < headDim; d++) {
          expected[h * headDim + d]! += (weight / total) * stored[((2 * t + 1) * heads + h) * headDim + d]!;
        }
      });
    }
    const buffers = {
      qkv,
      cache: stored,
      position,
      weights: heads * context,
      out: width,
    };
    const { out } = await runKernel(target, cachedAttention, buffers, sizes);
    expectClose(out, expected);
  });

  test("a position past the context changes nothing", async () => {
    const cache = testNumbers(3 * 2 * 4);
    const buffers = {
      qkv: testNumbers(12),
      position: Uint32Array.of(3),
      cache,
    };
    const store = await runKernel(target, cacheStore, buffers, {
      context: 3,
      heads: 2,
      headDim: 2,
    });
    expectClose(store.cache, cache, 0);
  });
});
