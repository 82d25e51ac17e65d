// Attention with dropout on its weights, as attention.ts computes it without:
//
//   m[q,k] = 0 where the uniform number of (q, k) is below rate, else 1 / (1 - rate)
//   out[q] = sum_k m p v       ds = p (m dout[q] . v[k] - delta[q]) / sqrt(headDim)       dv = sum_q m p dout[q]
//
// lse and delta are as without. No mask is kept: each pass draws it again. On GPUs these are the tiled kernels, which take any
// width of a head and work in f32; those with vectors and on matrix units have no dropout.

import { kernel } from "../kernel";
import { attentionOfAnyWidth } from "./attention-any-width";
import { attentionFlops } from "./attention-shape";
import { threefry } from "./threefry";

const sizes = { batch: "u32", context: "u32", heads: "u32", headDim: "u32", rate: "f32" } as const;

/** out [batch, context, heads, headDim] = (m softmax(q k^T / sqrt(headDim))) v, lse [batch, heads, context] */
export const droppedAttentionForward = kernel({
  name: "droppedAttentionForward",
  buffers: { qkv: "read", dropoutKey: "read u32", out: "write", lse: "write" },
  sizes,
  flops: (shape) => attentionFlops(2, shape),
  source: (shape, target) => attentionOfAnyWidth("forward", shape, target, threefry),
});

/** delta and the query part of dqkv; the rest of it is left to `droppedAttentionBackwardKeyValue`. */
export const droppedAttentionBackwardQuery = kernel({
  name: "droppedAttentionBackwardQuery",
  buffers: {
    qkv: "read",
    dropoutKey: "read u32",
    out: "read",
    dout: "read",
    lse: "read",
    delta: "write",
    dqkv: "write",
  },
  sizes,
  flops: (shape) => attentionFlops(3, shape),
  source: (shape, target) => attentionOfAnyWidth("backwardQuery", shape, target, threefry),
});

/** The key and value parts of dqkv. */
export const droppedAttentionBackwardKeyValue = kernel({
  name: "droppedAttentionBackwardKeyValue",
  buffers: { qkv: "read", dropoutKey: "read u32", dout: "read", lse: "read", delta: "read", dqkv: "update" },
  sizes,
  flops: (shape) => attentionFlops(4, shape),
  source: (shape, target) => attentionOfAnyWidth("backwardKeyValue", shape, target, threefry),
});
