import type { AnyRouter } from "@webmoe/router";
import { add, constant, type Init, type InputSpec, type Key, type MapLeaves, scale, type Tensor } from "@webmoe/tensor";
import type { ModelConfig } from "./config";
import type { LayerInput, RoutedLayer, TrunkParameters } from "./trunk";

/** The tensors that a batch is made of, by name. */
export type BatchTensors = Record<string, Tensor<"u32">>;

/** A model that can be trained: what it starts from, what a batch of it is, and its loss. */
export interface Model {
  /** Its sizes, and those of its experts. */
  readonly config: ModelConfig;
  /** What sends tokens to experts. */
  readonly router: AnyRouter;
  /** Trees of initial values: what is learned, and what the router keeps besides. */
  init(key: Key): {
    /** What is learned. */
    parameters: TrunkParameters<Init>;
    /** What the router keeps and does not learn. */
    buffers: MapLeaves<unknown, Init>;
  };
  /** Shapes of a batch of some sequences. */
  inputs(sequences: number): Record<string, InputSpec<"u32">>;
  /** The loss of a batch, traced into the program that the handles belong to. */
  loss(parameters: TrunkParameters<Tensor>, batch: BatchTensors, given: LossInput): LossOutput;
  /** A model of the same kind with some other sizes. */
  resized(sizes: Partial<ModelConfig>): Model;
}

/** What a step hands to the loss besides the batch. */
export interface LossInput extends LayerInput {
  /** Whether sequences are padded; padding goes to no expert and into no count. Default false. */
  padded?: boolean;
}

/** The loss of a batch and what it is made of. */
export interface LossOutput {
  /** What training minimises: cross entropy and the weighted router losses. */
  total: Tensor;
  /** Mean cross entropy in nats a target. */
  loss: Tensor;
  /** Means over MoE layers, unweighted. */
  balanceLoss: Tensor;
  /** The mean router z-loss over MoE layers, unweighted. */
  zLoss: Tensor;
  /** Of every MoE layer: assignments of each expert [E], with `moe.capacity` how many of them were dropped. */
  load: Tensor[];
  /** Of every MoE layer, with `moe.capacity`: assignments of each expert that were dropped, [E]. */
  dropped?: Tensor[];
  /** What went into and came out of every MoE layer. */
  layers: RoutedLayer[];
  /** Of a classifier: the scores of each sequence's classes, [B, C]. */
  scores?: Tensor;
}

/** Cross entropy and the losses of all MoE layers, weighted as the configuration says. */
export function lossOf({ moe }: ModelConfig, crossEntropy: Tensor, routed: RoutedLayer[]): LossOutput {
  const meanOf = (losses: Tensor[], factor = 1) =>
    losses.length === 0 ? constant(crossEntropy.trace, [], 0) : scale(add(...losses), factor / losses.length);
  const balanceLosses = routed.map((layer) => layer.balanceLoss);
  const zLosses = routed.map((layer) => layer.zLoss);
  const extra = routed.flatMap((layer) => Object.values(layer.losses));
  const parts = [crossEntropy, ...extra];
  if (moe.balanceLoss > 0 && routed.length > 0) parts.push(meanOf(balanceLosses, moe.balanceLoss));
  if (moe.zLoss > 0 && routed.length > 0) parts.push(meanOf(zLosses, moe.zLoss));
  const dropped = routed.flatMap((layer) => layer.dropped ?? []);
  return {
    total: add(...parts),
    loss: crossEntropy,
    balanceLoss: meanOf(balanceLosses),
    zLoss: meanOf(zLosses),
    load: routed.map((layer) => layer.load),
    ...(dropped.length > 0 && { dropped }),
    layers: routed,
  };
}
