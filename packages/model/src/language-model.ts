// A decoder-only transformer language model with sparse experts: the trunk and an untied head over the vocabulary.

import { linear } from "@webmoe/nn";
import type { AnyRouter } from "@webmoe/router";
import {
  cachedAttention,
  constant,
  fold,
  IGNORE,
  type Init,
  type InputSpec,
  type Key,
  linearCrossEntropy,
  type MapLeaves,
  map,
  normal,
  reshape,
  type Tensor,
  u32,
} from "@webmoe/tensor";
import { checkConfig, type ModelConfig } from "./config";
import { type LossInput, type LossOutput, lossOf, type Model } from "./model";
import { attendWithin, initTrunk, type RoutedLayer, runTrunk, type TrunkParameters } from "./trunk";

/** Everything that is learned. */
export interface LanguageModelParameters<L> extends TrunkParameters<L> {
  /** Scores of the next token from states, [V, D]. */
  head: L; // [V, D]
}

/** Sequences to learn from. */
export type LanguageBatch = {
  /** u32 [B, T] */
  tokens: Tensor<"u32">;
  /** The token after each one, u32 [B, T]; `IGNORE` where it takes no part in the loss. */
  targets: Tensor<"u32">;
};

/** One token of a sequence that is being generated. */
export interface NextInput {
  /** u32 [1] */
  token: Tensor<"u32">;
  /** Its position in the sequence, u32 [1]. */
  position: Tensor<"u32">;
  /** Keys and values of each block, [context, 2, heads, headDim]; updated in place. */
  caches: Tensor[];
  /** What the router keeps besides its parameters. */
  buffers?: MapLeaves<unknown, Tensor>;
}

/** What a model says of one token. */
export interface NextOutput {
  /** Scores of the token after it, [1, V]. */
  logits: Tensor;
  /** What went into and came out of every MoE layer. */
  layers: RoutedLayer[];
}

/** A language model: what it starts from, its loss, and its next-token scores. */
export interface LanguageModel extends Model {
  init(key: Key): {
    /** What is learned. */
    parameters: LanguageModelParameters<Init>;
    /** What the router keeps and does not learn. */
    buffers: MapLeaves<unknown, Init>;
  };
  inputs(sequences: number): Record<keyof LanguageBatch, InputSpec<"u32">>;
  /** The mean cross entropy over targets with the router's losses. */
  loss(parameters: LanguageModelParameters<Tensor>, batch: LanguageBatch, given: LossInput): LossOutput;
  /** What follows a token, with keys and values of the tokens before in `caches`. */
  next(parameters: LanguageModelParameters<Tensor>, input: NextInput): NextOutput;
  resized(sizes: Partial<ModelConfig>): LanguageModel;
}

/** Make a language model of given sizes around a router. */
export function languageModel(config: ModelConfig, router: AnyRouter): LanguageModel {
  checkConfig(config);
  const { dim, heads, vocab, context } = config;
  const headDim = dim / heads;

  function init(key: Key) {
    const { parameters, buffers } = initTrunk(config, router, key);
    return { parameters: { ...parameters, head: normal([vocab, dim], 0.02, fold(key, "head")) }, buffers };
  }

  function loss(parameters: LanguageModelParameters<Tensor>, batch: LanguageBatch, given: LossInput): LossOutput {
    const [sequences, length] = batch.tokens.shape as [number, number];
    const tokens = reshape(batch.tokens, [batch.tokens.size]);
    const targets = reshape(batch.targets, [batch.targets.size]);
    // IGNORE, the largest u32, is past 2^31 as a float too.
    const mask = given.padded
      ? map("counted", [targets], (target) => target.less(2 ** 31))
      : constant(tokens.trace, [tokens.size], 1);
    const attend = attendWithin(config, sequences, length);
    const { x, routed } = runTrunk(config, router, parameters, { ...given, tokens, mask, attend });
    return lossOf(config, linearCrossEntropy(x, parameters.head, targets), routed);
  }

  function next(
    parameters: LanguageModelParameters<Tensor>,
    { token, position, caches, buffers }: NextInput,
  ): NextOutput {
    const mask = constant(token.trace, [1], 1);
    const attend = (qkv: Tensor, block: number) =>
      reshape(cachedAttention(reshape(qkv, [1, 3, heads, headDim]), caches[block]!, position), [1, dim]);
    const given = { tokens: token, mask, attend, buffers, training: false };
    const { x, routed } = runTrunk(config, router, parameters, given);
    return { logits: linear(x, parameters.head), layers: routed };
  }

  const inputs = (sequences: number) => ({ tokens: u32(sequences, context), targets: u32(sequences, context) });
  const resized = (sizes: Partial<ModelConfig>) => languageModel({ ...config, ...sizes }, router);
  return { config, router, init, inputs, loss, next, resized };
}

/** A target that takes no part in the loss. */
export { IGNORE };
