// One new token against the keys and values of those before it, for decoding. The cache is [context, 2, heads, headDim],
// keys before values. On the tiled class (attention-decode-tiled.ts) the positions are cut into ranges, and a workgroup has a
// head's part of one; where there is one range, that is the result, of several `mergeRanges` takes the sum. The serial class is
// in attention-decode-serial.ts.

import { kernel } from "../kernel";
import { cacheRanges, RANGE } from "./cache-ranges";
import { decodeKernels, serialKernels } from "./kernels-of-target";
import { rotation } from "./rope";
import { wide } from "./wide";

/**
 * Of qkv [1, 3, heads, headDim] for a token at `position`: query[h,:] = the query turned by its position, and in the cache at the
 * position the turned key and the value, as `rope` turns; nothing past the context.
 */
export const cacheStore = kernel({
  name: "cacheStore",
  buffers: { qkv: "read", position: "read u32", query: "write", cache: "update" },
  sizes: { context: "u32", heads: "u32", headDim: "u32", base: "f32" },
  source: ({ heads, headDim }) => ({
    form: "items",
    items: 3 * heads * (headDim / 2),
    wgsl: /* wgsl */ `
alias Wide = f32;
${rotation()}
fn run(i: u32) {
  let half = sizes.headDim / 2u;
  let width = sizes.heads * sizes.headDim;
  let part = i / (width / 2u);
  let at = i / half * sizes.headDim + i % half;
  var pair = vec2f(qkv[at], qkv[at + half]);
  if (part < 2u) {
    let turn = rotation(position[0], f32(i % half));
    pair = vec2f(pair.x * turn.cosine - pair.y * turn.sine, pair.y * turn.cosine + pair.x * turn.sine);
  }
  if (part == 0u) {
    query[at] = pair.x;
    query[at + half] = pair.y;
  } else if (position[0] < sizes.context) {
    let row = (2u * position[0] - 1u) * width + at;
    cache[row] = pair.x;
    cache[row + half] = pair.y;
  }
}`,
  }),
});

/**
 * out[r,h,:] = sum over the t <= position[0] of range r of w_t v[t,h,:], with w_t = exp(s_t - largest) and s_t = q . k[t,h,:] /
 * sqrt(headDim); divided by the sum of w where there is one range. totals[r,h,:] = (largest, sum of w). `weights` [heads, context] is
 * for the serial class to work in.
 */
export const cachedAttention = kernel({
  name: "cachedAttention",
  buffers: {
    query: "read",
    cache: "read",
    position: "read u32",
    weights: "write",
    out: "write",
    totals: "write",
  },
  sizes: { context: "u32", heads: "u32", headDim: "u32" },
  flops: ({ context, heads, headDim }) => 4 * context * heads * headDim,
  source: (sizes, target) =>
    target.kernelClass === "tiled"
      ? decodeKernels().attention.cachedAttention(sizes, target, {
          ranges: cacheRanges(sizes.context, target),
          range: RANGE,
          inVectors: wide,
        })
      : serialKernels().decode.cachedAttention(sizes),
});

/** out[h,:] = sum over r of share_r parts[r,h,:] / sum over r of share_r total_r, with share_r = exp(largest_r - the largest of all) */
export const mergeRanges = kernel({
  name: "mergeRanges",
  buffers: { parts: "read", totals: "read", out: "write" },
  sizes: { ranges: "u32", heads: "u32", headDim: "u32" },
  source: ({ heads, headDim }) => ({
    form: "items",
    items: heads * headDim,
    wgsl: /* wgsl */ `
fn run(i: u32) {
  let h = i / sizes.headDim;
  var largest = -1e30;
  for (var r = 0u; r < sizes.ranges; r++) { largest = max(largest, totals[2u * (r * sizes.heads + h)]); }
  var total = 0.0;
  var sum = 0.0;
  for (var r = 0u; r < sizes.ranges; r++) {
    let at = 2u * (r * sizes.heads + h);
    let share = exp(totals[at] - largest);
    total += share * totals[at + 1u];
    sum += share * parts[r * sizes.heads * sizes.headDim + i];
  }
  out[i] = sum / total;
}`,
  }),
});
