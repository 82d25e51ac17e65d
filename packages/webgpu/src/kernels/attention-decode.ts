// One new token against the keys and values of those before it, for decoding. The cache is [context, 2, heads, headDim],
// keys before values. One row a head: its walkers stride over the positions for the scores, then over the head's
// elements for the values.

import { kernel } from "../kernel";

/** cache[position[0],:,h,:] = the key and value parts of qkv [1, 3, heads, headDim]; nothing past the context */
export const cacheStore = kernel({
  name: "cacheStore",
  buffers: { qkv: "read", position: "read u32", cache: "update" },
  sizes: { context: "u32", heads: "u32", headDim: "u32" },
  source: ({ heads, headDim }) => ({
    form: "items",
    items: 2 * heads * headDim,
    wgsl: /* wgsl */ `
fn run(i: u32) {
  let part = sizes.heads * sizes.headDim;
  if (position[0] < sizes.context) { cache[position[0] * 2u * part + i] = qkv[part + i]; }
}`,
  }),
});

/**
 * out[h,:] = sum over t <= position[0] of softmax_t(q . k[t,h,:] / sqrt(headDim)) v[t,h,:]; `weights` [heads, context]
 * receives the softmax up to position[0], not yet divided by its sum
 */
export const cachedAttention = kernel({
  name: "cachedAttention",
  buffers: {
    qkv: "read",
    cache: "read",
    position: "read u32",
    weights: "write",
    out: "write",
  },
  sizes: { context: "u32", heads: "u32", headDim: "u32" },
  flops: ({ context, heads, headDim }) => 4 * context * heads * headDim,
  source: ({ heads }) => ({
    form: "rows",
    rows: heads,
    wgsl: /* wgsl */ `
fn run(row: u32) {
  let end = min(position[0] + 1u, sizes.context);
  let scale = 1.0 / sqrt(f32(sizes.headDim));
  let start = row * sizes.context;
  let head = row * sizes.headDim;
  let part = sizes.heads * sizes.headDim;
  var largest = -1e30;
  for (var t = first(); t < end; t += step()) {
    var score = 0.0;
    for (var d = 0u; d < sizes.headDim; d++) { score += qkv[head + d] * cache[2u * t * part + head + d]; }
    weights[start + t] = score * scale;
    largest = max(largest, score * scale);
  }
  largest = rowMax(largest);
  var total = 0.0;
  for (var t = first(); t < end; t += step()) {
    let weight = exp(weights[start + t] - largest);
    weights[start + t] = weight;
    total += weight;
  }
  total = rowSum(total);
  rowBarrier();
  for (var d = first(); d < sizes.headDim; d += step()) {
    var sum = 0.0;
    for (var t = 0u; t < end; t++) { sum += weights[start + t] * cache[(2u * t + 1u) * part + head + d]; }
    out[head + d] = sum / total;
  }
}`,
  }),
});
