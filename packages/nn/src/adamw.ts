import {
  adamwCorrections,
  adamwUpdate,
  allocate,
  type DeviceTensor,
  type LossScaleState,
  leaves,
  type MapLeaves,
  spec,
  type Tensor,
  writeTensor,
} from "@webmoe/tensor";
import type { Gpu } from "@webmoe/webgpu";
import { type ClippedGradients, clippedGradients } from "./clipped-gradients";
import { contiguousRuns, runBytes, vector } from "./contiguous-runs";

/** Settings that stay the same for a whole run; see torch.optim.AdamW (Loshchilov and Hutter 2019). */
export interface AdamwOptions {
  /** How much of the first moment stays at each step. Default 0.9. */
  beta1?: number;
  /** How much of the second moment stays at each step. Default 0.95. */
  beta2?: number;
  /** Added to the root of the second moment. Default 1e-8. */
  eps?: number;
  /** What a parameter loses at each step, as a share of lr times itself. Default 0.1. */
  weightDecay?: number;
  /** Decay matrices alone (default), or every parameter. */
  decay?: "matrices" | "all";
  /** Largest global norm of the gradients; larger ones are scaled down. 0 turns clipping off. Default 1. */
  clip?: number;
}

/** What AdamW keeps between steps: both moments, and how many updates were applied. */
export interface AdamwState<P, L, Count = L> {
  /** Running means of gradients, shaped as the parameters. */
  first: MapLeaves<P, L>;
  /** Running means of squared gradients, shaped as the parameters. */
  second: MapLeaves<P, L>;
  /** Steps that were applied: skipped ones do not count, u32 [1]. */
  applied: Count;
  /** Present when the gradients are those of a scaled loss. */
  lossScale?: LossScaleState<L, Count>;
}

/** How `initAdamw` sets up. */
export interface AdamwSetup {
  /** Multiply the loss by this, adapted as training goes; for gradients that pass through f16. Default: no scaling. */
  lossScale?: number;
}

/** Zeroed moments for every parameter. */
export async function initAdamw<P>(
  gpu: Gpu,
  parameters: P,
  { lossScale }: AdamwSetup = {},
): Promise<AdamwState<P, DeviceTensor, DeviceTensor<"u32">>> {
  return {
    first: (await allocate(gpu, parameters, "first moments")) as MapLeaves<P, DeviceTensor>,
    second: (await allocate(gpu, parameters, "second moments")) as MapLeaves<P, DeviceTensor>,
    applied: await allocate(gpu, spec([1], "u32"), "applied steps"),
    ...(lossScale && { lossScale: await initLossScale(gpu, lossScale) }),
  };
}

/** A loss scale to start with. */
export async function initLossScale(
  gpu: Gpu,
  initial: number,
): Promise<LossScaleState<DeviceTensor, DeviceTensor<"u32">>> {
  const state = {
    scale: await allocate(gpu, spec([1]), "loss scale"),
    clean: await allocate(gpu, spec([1], "u32"), "clean steps"),
    skipped: await allocate(gpu, spec([1], "u32"), "skipped steps"),
  };
  writeTensor(state.scale, Float32Array.of(initial));
  return state;
}

/**
 * Update every parameter in place from its gradient, and the moments with it. The gradients are clipped by their global
 * norm without a trip to the host. Parameters that lie side by side are updated by one kernel.
 * `lr` is a scalar tensor. Returns the norm of the gradients before clipping. With a loss scale in `state`, the gradients
 * are of the loss times `state.lossScale.scale`, and a step with one that is not finite is skipped.
 */
export function adamw<P>(
  parameters: P,
  gradients: MapLeaves<P, Tensor>,
  state: AdamwState<P, Tensor, Tensor<"u32">>,
  lr: Tensor,
  options: AdamwOptions = {},
): { gradNorm: Tensor } {
  const { clip = 1 } = options;
  const clipped = clippedGradients(parameters, gradients, state.lossScale, clip);
  adamwRuns(leaves<Tensor>(parameters), clipped, state, lr, options);
  return { gradNorm: clipped.norm };
}

/** Update some parameters of which `state` has moments, from gradients that are laid out and clipped. */
export function adamwRuns(
  parameters: [path: string, tensor: Tensor][],
  { packed, coefficient }: ClippedGradients,
  state: { first: unknown; second: unknown; applied: Tensor<"u32"> },
  lr: Tensor,
  options: AdamwOptions,
): void {
  const { beta1 = 0.9, beta2 = 0.95, eps = 1e-8, weightDecay = 0.1, decay = "matrices" } = options;
  const rates = { rate1: 1 - beta1, rate2: 1 - beta2 };
  const corrections = adamwCorrections(state.applied, coefficient, rates);
  const first = new Map(leaves<Tensor>(state.first));
  const second = new Map(leaves<Tensor>(state.second));
  const decays = (tensor: Tensor) => decay === "all" || tensor.shape.length > 1;
  for (const run of contiguousRuns(parameters, decays, [first, second])) {
    const [path, start] = run[0]!;
    const bytes = runBytes(run);
    const p = vector(start, bytes);
    adamwUpdate({
      p,
      g: vector(packed.get(start.slice.storage)!, bytes, p.slice.offset),
      m: vector(first.get(path)!, bytes),
      v: vector(second.get(path)!, bytes),
      lr,
      coefficient,
      corrections,
      options: { ...rates, eps, decay: decays(start) ? weightDecay : 0 },
    });
  }
}
