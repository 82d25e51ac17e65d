import {
  adamw as adamwKernel,
  clipCoefficient,
  adamwCorrections as correctionsKernel,
  sumOfSquares,
  unscale as unscaleKernel,
} from "@webmoe/webgpu";
import { place, type Tensor } from "../tensor";

/** From which loss on a step does not count. */
export interface LossLimit {
  /** A scalar. */
  loss: Tensor;
  /** Where the loss is this or more, the step is skipped. */
  most: number;
}

/** For kernels that compare a loss with a limit: where there is none, what is read in its place is below it, if it is finite. */
const NO_LIMIT = 3.4e38;

/**
 * The norm of several flat tensors together, and min(1, maxNorm / norm), the factor that clips it; 1 for maxNorm 0, and -1,
 * which skips the update, for a norm that is not finite or a loss that is not within the limit.
 */
export function globalNorm(
  tensors: Tensor[],
  maxNorm: number,
  limit?: LossLimit,
): { norm: Tensor; coefficient: Tensor } {
  const sums = sumsOfSquares(tensors);
  const sizes = { chunks: sums.size, maxNorm, mostLoss: limit?.most ?? NO_LIMIT };
  return place(clipCoefficient, { sums, loss: limit?.loss ?? sums }, sizes, { norm: [], coefficient: [] });
}

/** Numbers whose sum is that of the squares of all elements, f32 [chunks]. */
function sumsOfSquares(tensors: Tensor[]): Tensor {
  const { recording } = tensors[0]!.trace;
  // Every tensor has its partial sums on a binding of its own, so they come in rows of 256 bytes; chunks past the end of a
  // tensor are empty, and their sums zero.
  const counts = tensors.map(({ size }) => 64 * Math.min(16, Math.ceil(size / 4096 / 64)));
  const total = counts.reduce((a, b) => a + b, 0);
  const sums = tensors[0]!.trace.temporary([total], "f32", "sumOfSquares");
  let offset = sums.slice.offset;
  tensors.forEach((x, index) => {
    const [chunks, bytes] = [counts[index]!, counts[index]! * 4];
    recording.dispatch(
      sumOfSquares,
      { x: x.slice, sums: { ...sums.slice, offset, bytes } },
      { items: x.size, chunks },
      undefined,
    );
    offset += bytes;
  });
  return sums;
}

/** Dynamic loss scaling: the scale, steps since it changed, and steps skipped; all [1]. */
export interface LossScaleState<L, Count = L> {
  /** What the loss is multiplied by, f32 [1]. */
  scale: L;
  /** Steps with finite gradients since the scale last changed, u32 [1]. */
  clean: Count;
  /** Steps that were skipped so far, u32 [1]. */
  skipped: Count;
}

/**
 * The norm of the gradients and the factor to update with, from flat tensors of gradients of a loss that was multiplied by
 * `state.scale`. The factor is -1, which skips the update, where the norm is not finite or the loss not within the limit. Moves
 * the state on: the scale halves after a norm that is not finite and doubles after `interval` steps without one
 * (Micikevicius et al. 2018).
 */
export function unscale(
  gradients: Tensor[],
  state: LossScaleState<Tensor, Tensor<"u32">>,
  { maxNorm, interval = 2000, limit }: { maxNorm: number; interval?: number; limit?: LossLimit },
): { norm: Tensor; coefficient: Tensor } {
  const sums = sumsOfSquares(gradients);
  const inputs = { sums, loss: limit?.loss ?? sums, ...state };
  const sizes = { chunks: sums.size, maxNorm, mostLoss: limit?.most ?? NO_LIMIT, interval };
  return place(unscaleKernel, inputs, sizes, { norm: [], coefficient: [] });
}

/**
 * Count one more applied step in `step`, unless `coefficient` is negative, and return the bias corrections 1 - beta^step of
 * both moments.
 */
export function adamwCorrections(
  step: Tensor<"u32">,
  coefficient: Tensor,
  { rate1, rate2 }: { rate1: number; rate2: number },
): Tensor {
  return place(correctionsKernel, { step, coefficient }, { rate1, rate2 }, { corrections: [2] }).corrections;
}

/** Flat vectors of one length, and the numbers of this step. */
export interface AdamwUpdate {
  /** Parameters, gradients, and both moments; p, m and v change in place. */
  p: Tensor;
  /** The gradient, before the factor. */
  g: Tensor;
  /** Running mean of gradients, updated in place. */
  m: Tensor;
  /** Running mean of squared gradients, updated in place. */
  v: Tensor;
  /** The learning rate, []. */
  lr: Tensor;
  /** Factor on every gradient; a negative one skips the update. */
  coefficient: Tensor;
  /** What the bias of young running means is divided out by, [2]: 1 - beta^step for each. */
  corrections: Tensor;
  /** rate = 1 - beta. */
  options: {
    /** How far the first mean moves in a step, 1 - beta1. */
    rate1: number;
    /** How far the second mean moves in a step, 1 - beta2. */
    rate2: number;
    /** Added to the square root that is divided by. */
    eps: number;
    /** Decoupled weight decay, times the learning rate. */
    decay: number;
  };
}

/** One AdamW update of a flat range (Loshchilov and Hutter 2019, as torch.optim.AdamW). */
export function adamwUpdate({ options, ...buffers }: AdamwUpdate): void {
  place(adamwKernel, buffers, { items: buffers.p.size, ...options }, {});
}
