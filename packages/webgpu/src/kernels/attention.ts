// Causal self-attention on fused projections qkv [batch, context, 3, heads, headDim], without the matrix of scores ever
// in memory: the forward pass keeps a running maximum and sum per query (Dao et al. 2022, FlashAttention,
// https://arxiv.org/abs/2205.14135) and saves their log-sum-exp; the backward pass recomputes the scores from it, once
// for the queries and once for the keys, which spares atomics and makes the sums deterministic.
//
//   s[q,k] = q . k / sqrt(headDim) for k <= q      p = exp(s - lse[q])      out[q] = sum_k p v
//   delta[q] = out[q] . dout[q]                    ds = p (dout[q] . v[k] - delta[q]) / sqrt(headDim)
//   dq = sum_k ds k                                dk = sum_q ds q          dv = sum_q p dout[q]
//
// Kernels on matrix units are in attention-matrix.ts, those with vectors in attention-vector.ts, those for any width of a head
// in attention-tiled.ts, and those with one invocation per query or key in attention-serial.ts.

import { type KernelTarget, kernel } from "../kernel";
import * as matrix from "./attention-matrix";
import * as serial from "./attention-serial";
import type { AttentionSizes } from "./attention-shape";
import * as tiled from "./attention-tiled";
import * as vector from "./attention-vector";
import { wide } from "./wide";

const sizes = {
  batch: "u32",
  context: "u32",
  heads: "u32",
  headDim: "u32",
} as const;

function variants({ kernelClass, matrixUnits, precision }: KernelTarget, shape: AttentionSizes) {
  if (kernelClass === "serial") return serial;
  if (matrixUnits && precision === "mixed" && matrix.fitsMatrixUnits(shape)) return matrix;
  return vector.fitsVectors(shape) ? vector : tiled;
}

/** Floating-point operations of `count` matrix products over the causal half of the scores. */
const products = (count: number, shape: AttentionSizes) =>
  count * shape.batch * shape.heads * shape.context * (shape.context + 1) * shape.headDim;

/** out [batch, context, heads, headDim] = softmax(q k^T / sqrt(headDim)) v, lse [batch, heads, context] */
export const attentionForward = kernel({
  name: "attentionForward",
  buffers: { qkv: "read", out: "write", lse: "write" },
  sizes,
  flops: (shape) => products(2, shape),
  source: (shape, target) => variants(target, shape).forward(shape),
});

/** delta [batch, heads, context] = out . dout over headDim */
export const attentionDelta = kernel({
  name: "attentionDelta",
  buffers: { out: "read", dout: "read", delta: "write" },
  sizes,
  flops: ({ batch, context, heads, headDim }) => 2 * batch * context * heads * headDim,
  source: ({ batch, context, heads, headDim }, target) => {
    const { lanes, vectors, dot } = wide(target, headDim, ["out", "dout"]);
    return {
      form: "items",
      items: batch * context * heads,
      vectors,
      wgsl: /* wgsl */ `
fn run(i: u32) {
  // Neighbouring invocations have neighbouring heads of a token, as they lie in memory.
  let token = i / sizes.heads;
  let head = i % sizes.heads;
  let width = sizes.headDim / ${lanes}u;
  var product = 0.0;
  for (var d = 0u; d < width; d++) { product += ${dot("out[i * width + d]", "dout[i * width + d]")}; }
  delta[(token / sizes.context * sizes.heads + head) * sizes.context + token % sizes.context] = product;
}`,
    };
  },
});

/** The query part of dqkv [batch, context, 3, heads, headDim]; the rest of it is left to `attentionBackwardKeyValue`. */
export const attentionBackwardQuery = kernel({
  name: "attentionBackwardQuery",
  buffers: {
    qkv: "read",
    dout: "read",
    lse: "read",
    delta: "read",
    dqkv: "write",
  },
  sizes,
  flops: (shape) => products(3, shape),
  source: (shape, target) => variants(target, shape).backwardQuery(shape),
});

/** The key and value parts of dqkv. */
export const attentionBackwardKeyValue = kernel({
  name: "attentionBackwardKeyValue",
  buffers: {
    qkv: "read",
    dout: "read",
    lse: "read",
    delta: "read",
    dqkv: "update",
  },
  sizes,
  flops: (shape) => products(4, shape),
  source: (shape, target) => variants(target, shape).backwardKeyValue(shape),
});
