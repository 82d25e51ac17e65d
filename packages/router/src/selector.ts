import { type MapLeaves, type Tensor, tokenOfAssignment, topKSoftmax } from "@webmoe/tensor";

/** The number that stands for "no expert" in an assignment. */
export const NO_EXPERT = 0xffffffff;

/**
 * Which token goes to which expert with which weight. The number of assignments A is fixed, a multiple of T: each token has
 * A / T of them, in token order, of which some may be unused.
 */
export interface Selection {
  /** u32 [A] */
  token: Tensor<"u32">;
  /** u32 [A]; `NO_EXPERT` where an assignment is unused. */
  expert: Tensor<"u32">;
  /** f32 [A] */
  weight: Tensor;
  /** [T, E]; rows sum to 1, or to 0 for padding. For losses and statistics. */
  probabilities: Tensor;
  /** The most assignments that can be in use at once, where that is below A: memory for experts' rows is sized by it. */
  atMost?: number;
}

/** What a selector chooses from at one MoE layer. */
export interface SelectorInput<Buffers = unknown> {
  /** [T, E] */
  logits: Tensor;
  /** 1 for tokens, 0 for padding; f32 [T]. */
  mask: Tensor;
  /** How many experts the configuration gives each token. */
  topK: number;
  /** Token ids, u32 [T]. */
  tokens: Tensor<"u32">;
  /** Number of the MoE layer, from 0. */
  index: number;
  /** What the router keeps but does not learn. */
  buffers?: MapLeaves<Buffers, Tensor>;
  /** Whether the step trains. */
  training: boolean;
}

/** Chooses experts from scores. */
export type Selector<Buffers = unknown> = (input: SelectorInput<Buffers>) => Selection;

/** How `softmaxTopK` weighs the chosen experts. */
export interface SoftmaxTopKOptions {
  /**
   * Let the weights of a token sum to one. Default: only for topK above 1, since the single weight would be constant
   * and give the router no gradient.
   */
  renormalize?: boolean;
}

/** Softmax over all experts, then the K largest; assignments are K per token, in token order. */
export function softmaxTopK({ renormalize }: SoftmaxTopKOptions = {}): Selector {
  return ({ logits, mask, topK }) => {
    const chosen = topKSoftmax(logits, mask, topK, renormalize ?? topK > 1);
    return { ...chosen, token: tokenOfAssignment(logits, topK) };
  };
}
