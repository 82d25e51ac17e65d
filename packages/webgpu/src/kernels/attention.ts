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
import { type AttentionPass, attentionOfAnyWidth } from "./attention-any-width";
import { type AttentionSizes, attentionFlops } from "./attention-shape";
import { matrixKernels, vectorAttention } from "./kernels-of-target";
import { attentionFits, hasAmpleMemory, usesMatrixUnits } from "./matrix-shape";
import { rotation } from "./rope";

const sizes = {
  batch: "u32",
  context: "u32",
  heads: "u32",
  headDim: "u32",
} as const;

/** How the operands of attention come. */
export interface AttentionOperands {
  /** qkv, out and dout are packed by `packHalves` where they are read; where `attentionTakesHalves` says so, and only there. */
  halves?: boolean;
  /** Gradients of queries and keys are turned back by their position, as `rope` with this base does; where `attentionTurnsBack` says so. */
  turnBack?: number;
}

/** Whether attention runs on matrix units, which read their operands packed by `packHalves`. */
export function attentionTakesHalves(shape: AttentionSizes, target: KernelTarget): boolean {
  return target.kernelClass === "tiled" && usesMatrixUnits(target) && attentionFits(shape);
}

/** Whether the gradients of attention that takes halves can be those of what `rope` was given. */
export function attentionTurnsBack({ headDim }: AttentionSizes): boolean {
  return matrixKernels().attention.paddedHead(headDim) === headDim;
}

/** Whether attention runs with vectors of four: for two widths of a head, and with 24 KiB of workgroup memory. */
const fitsVectors = ({ headDim }: AttentionSizes, target: KernelTarget) =>
  target.kernelClass === "tiled" && (headDim === 32 || headDim === 64) && hasAmpleMemory(target);

/** The shader of a pass in f32. */
function plain(pass: AttentionPass, shape: AttentionSizes, target: KernelTarget) {
  return fitsVectors(shape, target) ? vectorAttention()[pass](shape) : attentionOfAnyWidth(pass, shape, target);
}

/** The shader of a gradient. */
function gradientOf(
  kernel: Exclude<AttentionPass, "forward">,
  shape: AttentionSizes,
  target: KernelTarget,
  { halves, turnBack }: AttentionOperands = {},
) {
  if (!halves) return plain(kernel, shape, target);
  return matrixKernels().attention[kernel](shape, turnBack === undefined ? undefined : rotation(`f32(${turnBack})`));
}

/** out [batch, context, heads, headDim] = softmax(q k^T / sqrt(headDim)) v, lse [batch, heads, context] */
export const attentionForward = kernel({
  name: "attentionForward",
  buffers: { qkv: "read", out: "write", lse: "write" },
  sizes,
  flops: (shape) => attentionFlops(2, shape),
  source: (shape, target, operands: AttentionOperands | undefined) =>
    operands?.halves ? matrixKernels().attention.forward(shape) : plain("forward", shape, target),
});

/**
 * delta [batch, heads, context], and the query part of dqkv [batch, context, 3, heads, headDim]; the rest of it is left to
 * `attentionBackwardKeyValue`, which reads delta.
 */
export const attentionBackwardQuery = kernel({
  name: "attentionBackwardQuery",
  buffers: {
    qkv: "read",
    out: "read",
    dout: "read",
    lse: "read",
    delta: "write",
    dqkv: "write",
  },
  sizes,
  flops: (shape) => attentionFlops(3, shape),
  source: (shape, target, operands: AttentionOperands | undefined) =>
    gradientOf("backwardQuery", shape, target, operands),
});

/** The key and value parts of dqkv. */
export const attentionBackwardKeyValue = kernel({
  name: "attentionBackwardKeyValue",
  buffers: {
    qkv: "read",
    dout: "read",
    lse: "read",
    delta: "read",
    dqkv: "write",
  },
  sizes,
  flops: (shape) => attentionFlops(4, shape),
  source: (shape, target, operands: AttentionOperands | undefined) =>
    gradientOf("backwardKeyValue", shape, target, operands),
});
