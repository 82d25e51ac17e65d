import { describe, expect, test } from "vitest";
import { expectClose, kernelTargets, runKernel, testNumbers } from "../testing";
import { cachedAttention, cacheStore, mergeRanges } from "./attention-decode";
import { cacheRanges } from "./cache-ranges";

const base = 10000;

/** x [rows, headDim] with the halves of each row turned for a position. */
function turned(x: Float32Array, headDim: number, position: number): Float32Array {
  const y = x.slice();
  const half = headDim / 2;
  x.forEach((a, at) => {
    const i = at % headDim;
    if (i >= half) return;
    const [b, angle] = [x[at + half]!, position * base ** ((-2 * i) / headDim)];
    y[at] = a * Math.cos(angle) - b * Math.sin(angle);
    y[at + half] = b * Math.cos(angle) + a * Math.sin(angle);
  });
  return y;
}

/** softmax(q . k[t,h,:] / sqrt(headDim)) v[t,h,:] summed over t <= at. */
function attended(query: Float32Array, cache: Float32Array, at: number, heads: number, headDim: number) {
  const out = new Float64Array(heads * headDim);
  for (let h = 0; h < heads; h++) {
    const weights = Array.from({ length: at + 1 }, (_, t) => {
      let score = 0;
      for (let d = 0; d < headDim; d++) score += query[h * headDim + d]! * cache[(2 * t * heads + h) * headDim + d]!;
      return Math.exp(score / Math.sqrt(headDim));
    });
    const total = weights.reduce((a, b) => a + b);
    weights.forEach((weight, t) => {
      for (let d = 0; d < headDim; d++) {
        out[h * headDim + d]! += (weight / total) * cache[((2 * t + 1) * heads + h) * headDim + d]!;
      }
    });
  }
  return out;
}

describe.each(kernelTargets)("attention with a cache, $name", ({ target }) => {
  test.each([
    [1, 0, 1, 2],
    [9, 4, 3, 6],
    [150, 149, 2, 32],
    [200, 70, 1, 10],
    [300, 299, 2, 8],
  ])("context %i, position %i, %i heads of %i", async (context, at, heads, headDim) => {
    const sizes = { context, heads, headDim };
    const width = heads * headDim;
    const qkv = testNumbers(3 * width);
    const cache = testNumbers(context * 2 * width, 2);
    const position = Uint32Array.of(at);
    const stored = cache.slice();
    stored.set(turned(qkv.subarray(width, 2 * width), headDim, at), at * 2 * width);
    stored.set(qkv.subarray(2 * width), (at * 2 + 1) * width);
    const query = turned(qkv.subarray(0, width), headDim, at);
    const store = await runKernel(target, cacheStore, { qkv, position, query: width, cache }, { ...sizes, base });
    expectClose(store.cache, stored, 2e-5);
    expectClose(store.query, query, 2e-5);

    const buffers = { query, cache: stored, position, weights: heads * context, out: width, totals: 2 * heads };
    const { out } = await runKernel(target, cachedAttention, buffers, sizes);
    expectClose(out, attended(query, stored, at, heads, headDim));
  });

  test("ranges of a long context, some of them past the position", async () => {
    const [context, heads, headDim] = [1300, 2, 4];
    const width = heads * headDim;
    const [query, cache] = [testNumbers(width), testNumbers(context * 2 * width, 2)];
    const ranges = cacheRanges(context, target);
    expect(ranges).toBe(target.kernelClass === "tiled" ? 3 : 1);
    for (const at of [3, 511, 512, 1299]) {
      const buffers = { query, cache, position: Uint32Array.of(at), weights: heads * context };
      const sizes = { context, heads, headDim };
      const written = { out: ranges * width, totals: 2 * ranges * heads };
      const { out, totals } = await runKernel(target, cachedAttention, { ...buffers, ...written }, sizes);
      const parts = { parts: out, totals, out: width };
      const merged = ranges > 1 ? await runKernel(target, mergeRanges, parts, { ranges, heads, headDim }) : { out };
      expectClose(merged.out, attended(query, cache, at, heads, headDim));
    }
  });

  test("a position past the context changes nothing", async () => {
    const cache = testNumbers(3 * 2 * 4);
    const buffers = { qkv: testNumbers(12), position: Uint32Array.of(3), query: 4, cache };
    const store = await runKernel(target, cacheStore, buffers, { context: 3, heads: 2, headDim: 2, base });
    expectClose(store.cache, cache, 0);
  });
});
