import type { Init, Key, MapLeaves, Tensor } from "@webmoe/tensor";
import type { Selector } from "./selector";

/** The sizes a router is made for. */
export interface RouterShape {
  /** Width of what the experts receive. */
  dim: number;
  /** Experts of a layer. */
  experts: number;
  /** Number of MoE layers. */
  layers: number;
  /** Experts that a token goes to. */
  topK: number;
  /** Different tokens. */
  vocab: number;
}

/** What a router is made of: trees of initial values, which become parameters. */
export interface RouterParameters<Shared, Layer, Buffers> {
  /** Learned, used by every layer. */
  shared: Shared;
  /** Learned, one entry per MoE layer. */
  layers: Layer[];
  /** State that is not learned: frozen weights, biases that `afterStep` moves. */
  buffers?: Buffers;
}

/** What a router sees of one MoE layer. */
export interface ScoreInput<Shared, Layer, Carry, Buffers> {
  /** What the experts receive, f32 [T, D]. */
  x: Tensor;
  /** What all layers share of `init`'s parameters. */
  shared: MapLeaves<Shared, Tensor>;
  /** This layer's own parameters. */
  layer: MapLeaves<Layer, Tensor>;
  /** Number of the MoE layer, from 0. */
  index: number;
  /** What this router returned at the MoE layer before; undefined at the first. */
  carry: Carry | undefined;
  /** Token ids, u32 [T]. */
  tokens: Tensor<"u32">;
  /** 1 for tokens, 0 for padding; f32 [T]. */
  mask: Tensor;
  /** What `init` gave as state that is not learned. */
  buffers?: MapLeaves<Buffers, Tensor>;
  /** False in validation and sampling. */
  training: boolean;
}

/** The scores of every expert for every token. */
export interface Scores<Carry> {
  /** [T, E]. Minus infinity rules an expert out for a token; as many as it goes to must be left. */
  logits: Tensor;
  /** Handed to the next MoE layer with the same tokens. */
  carry?: Carry;
  /** Further losses, already weighted, by name; scalars. */
  losses?: Record<string, Tensor>;
}

/**
 * A router scores the experts; a selector chooses from the scores; the MoE layer dispatches. A router outside this
 * repository is a file whose default export is `(options) => Router`; `checkRouter` of `@webmoe/router/testing` proves it.
 */
export interface Router<Shared = unknown, Layer = unknown, Carry = unknown, Buffers = unknown> {
  /** What reports and checkpoints call it. */
  readonly name: string;
  /** What it starts from, for a model of this shape. Fold `key` by name, so that another parameter leaves the rest as it was. */
  init(shape: RouterShape, key: Key): RouterParameters<Shared, Layer, Buffers>;
  /** The scores of every expert for every token at one MoE layer; called for each layer, from the first. */
  score(input: ScoreInput<Shared, Layer, Carry, Buffers>): Scores<Carry>;
  /** Default: softmax top-k. */
  select?: Selector<Buffers>;
  /**
   * Forward floating-point operations of one token's scores in all MoE layers, for accounting. Default: a multiply and an add
   * for every learned number, those that layers share once for every layer.
   */
  flops?(shape: RouterShape): number;
  /** The values of `buffers` after a training step. What is returned as it came keeps its value. */
  afterStep?(input: AfterStepInput<Shared, Layer, Buffers>): MapLeaves<Buffers, Tensor>;
}

/** What a router sees of a finished training step. */
export interface AfterStepInput<Shared, Layer, Buffers> {
  /** The buffers as they were in the step. */
  buffers: MapLeaves<Buffers, Tensor>;
  /** Assignments of each expert of each MoE layer in the whole step, [L, E]. */
  load: Tensor;
  /** Tokens of the whole step. */
  tokens: number;
  /** The parameters after their update. */
  shared: MapLeaves<Shared, Tensor>;
  /** The parameters of each MoE layer, as the step left them. */
  layers: MapLeaves<Layer, Tensor>[];
}

/** A router of any make, as a model holds one. */
// biome-ignore lint/suspicious/noExplicitAny: what a router carries is its own business; only it reads it back
export type AnyRouter = Router<any, any, any, any>;

/** Infer the types of a router's parameters and carry from its `init` and `score`. */
export function defineRouter<Shared, Layer, Carry, Buffers = undefined>(
  router: Router<Shared, Layer, Carry, Buffers>,
): Router<Shared, Layer, Carry, Buffers> {
  return router;
}

/** A leaf of what `init` returns. */
export type { Init };
