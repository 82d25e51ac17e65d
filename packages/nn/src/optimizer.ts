// One optimizer for all parameters, chosen by name: AdamW; stochastic gradient descent with momentum; or Muon, which gives
// matrices a direction of which every singular value is near 1, while AdamW updates the rest.

import {
  allocate,
  type DeviceTensor,
  descendAlong,
  type LossLimit,
  type LossScaleState,
  leaves,
  type MapLeaves,
  mapTree,
  nesterovMomentum,
  type Shape,
  sgdUpdate,
  spec,
  Tensor,
} from "@webmoe/tensor";
import type { Gpu } from "@webmoe/webgpu";
import { type AdamwOptions, type AdamwSetup, adamwRuns, initLossScale } from "./adamw";
import { type ClippedGradients, clippedGradients } from "./clipped-gradients";
import { contiguousRuns, runBytes, vector } from "./contiguous-runs";
import { newtonSchulz } from "./newton-schulz";

/** Which optimizer, and its settings; those of AdamW hold for what AdamW updates, decay and clipping for all. */
export interface OptimizerOptions extends AdamwOptions {
  /** Default "adamw". */
  name?: "adamw" | "muon" | "sgd";
  /** Of the velocity in "muon" and "sgd". Default 0.95. */
  momentum?: number;
  /** "muon": the learning rate of its matrices as a multiple of `lr`. Default 1. */
  matrixRate?: number;
  /** "muon": a parameter as matrices, [how many, rows, columns]; undefined for what AdamW updates. Default: every matrix is one. */
  matrices?(path: string, shape: Shape): [number, number, number] | undefined;
  /** Leave everything as it is in a step whose loss is no less than this. Default: every finite step counts. */
  limit?: LossLimit;
}

/** What an optimizer keeps between steps. */
export interface OptimizerState<P, L, Count = L> {
  /** First moments or velocities. */
  first: MapLeaves<P, L>;
  /** Second moments of what AdamW updates: the tree of parameters, without the others. */
  second: object;
  /** How many updates were applied. */
  applied: Count;
  /** Present when the gradients are those of a scaled loss. */
  lossScale?: LossScaleState<L, Count>;
}

const eachMatrix = (_: string, shape: Shape): [number, number, number] | undefined =>
  shape.length < 2 ? undefined : [shape.slice(0, -2).reduce((a, b) => a * b, 1), shape.at(-2)!, shape.at(-1)!];

function ofAdamw({ name = "adamw", matrices = eachMatrix }: OptimizerOptions) {
  return (path: string, { shape }: { shape: Shape }) =>
    name === "adamw" || (name === "muon" && matrices(path, shape) === undefined);
}

/** Zeroed state for every parameter. */
export async function initOptimizer<P>(
  gpu: Gpu,
  parameters: P,
  options: OptimizerOptions & AdamwSetup = {},
): Promise<OptimizerState<P, DeviceTensor, DeviceTensor<"u32">>> {
  const adamws = ofAdamw(options);
  const withSecond = mapTree(parameters, (leaf, path) => (adamws(path, leaf as DeviceTensor) ? leaf : undefined));
  return {
    first: (await allocate(gpu, parameters, "first moments")) as MapLeaves<P, DeviceTensor>,
    second: (await allocate(gpu, withSecond, "second moments")) as object,
    applied: await allocate(gpu, spec([1], "u32"), "applied steps"),
    ...(options.lossScale && { lossScale: await initLossScale(gpu, options.lossScale) }),
  };
}

/**
 * Update every parameter in place from its gradient, and the state with it. The gradients are clipped by their global norm
 * without a trip to the host. `lr` is a scalar tensor. Returns the norm before clipping. With a loss scale in `state`, the
 * gradients are of the loss times `state.lossScale.scale`. A step with a gradient that is not finite is skipped.
 */
export function optimize<P>(
  parameters: P,
  gradients: MapLeaves<P, Tensor>,
  state: OptimizerState<P, Tensor, Tensor<"u32">>,
  lr: Tensor,
  options: OptimizerOptions = {},
): { gradNorm: Tensor } {
  const { name = "adamw", clip = 1 } = options;
  const clipped = clippedGradients(parameters, gradients, state.lossScale, clip, options.limit);
  const all = leaves<Tensor>(parameters);
  const adamws = ofAdamw(options);
  const rest = all.filter(([path, tensor]) => !adamws(path, tensor));
  // The count of applied steps is AdamW's, also where it updates nothing.
  adamwRuns(
    all.filter(([path, tensor]) => adamws(path, tensor)),
    clipped,
    state,
    lr,
    options,
  );
  const velocities = new Map(leaves<Tensor>(state.first));
  if (name === "sgd") descend(rest, clipped, velocities, lr, options);
  else if (name === "muon") muon(rest, clipped, velocities, lr, options);
  return { gradNorm: clipped.norm };
}

/** v = momentum v + g, p -= lr (decay p + v), as torch.optim.SGD but for the decay, which is decoupled. */
function descend(
  parameters: [string, Tensor][],
  { packed, coefficient }: ClippedGradients,
  velocities: Map<string, Tensor>,
  lr: Tensor,
  { momentum = 0.95, weightDecay = 0.1, decay = "matrices" }: OptimizerOptions,
): void {
  const decays = (tensor: Tensor) => decay === "all" || tensor.shape.length > 1;
  for (const run of contiguousRuns(parameters, decays, [velocities])) {
    const [path, start] = run[0]!;
    const bytes = runBytes(run);
    const p = vector(start, bytes);
    const g = vector(packed.get(start.slice.storage)!, bytes, p.slice.offset);
    const m = vector(velocities.get(path)!, bytes);
    sgdUpdate({ p, g, m }, { lr, coefficient }, { momentum, decay: decays(start) ? weightDecay : 0 });
  }
}

/**
 * v = momentum v + g, p -= lr (decay p + sqrt(max(1, rows / columns)) newtonSchulz(g + momentum v)) for each matrix (Jordan 2024,
 * https://kellerjordan.github.io/posts/muon); lr is `matrixRate` times that of the others. Experts are a batch of matrices.
 */
function muon(
  parameters: [string, Tensor][],
  { packed, coefficient }: ClippedGradients,
  velocities: Map<string, Tensor>,
  lr: Tensor,
  { momentum = 0.95, weightDecay = 0.1, matrixRate = 1, matrices = eachMatrix }: OptimizerOptions,
): void {
  for (const [path, p] of parameters) {
    const shape = matrices(path, p.shape)!;
    const { storage, offset, bytes } = p.slice;
    const g = new Tensor(p.trace, shape, "f32", { storage: packed.get(storage)!.slice.storage, offset, bytes });
    const direction = newtonSchulz(nesterovMomentum(g, velocities.get(path)!, coefficient, momentum));
    const factor = Math.sqrt(Math.max(1, shape[1] / shape[2]));
    descendAlong(p, direction, { lr, coefficient }, { rate: matrixRate, decay: weightDecay, factor });
  }
}
