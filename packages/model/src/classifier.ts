// A classifier of texts: the trunk of the language model, one vector a text, and a linear head over the classes.
//
//   scores = W pooled,   pooled = the final state of the text's last token, or the mean over its tokens

import { linear } from "@webmoe/nn";
import type { AnyRouter } from "@webmoe/router";
import {
  constant,
  crossEntropy,
  Expression,
  fold,
  type Init,
  type InputSpec,
  type Key,
  type MapLeaves,
  map,
  mul,
  normal,
  reshape,
  sum,
  type Tensor,
  tokenOfAssignment,
  u32,
} from "@webmoe/tensor";
import { checkConfig, type ModelConfig } from "./config";
import { type LossInput, type LossOutput, lossOf, type Model } from "./model";
import { attendWithin, initTrunk, runTrunk, type TrunkParameters } from "./trunk";

/** What a classifier is made for. */
export interface ClassifierOptions {
  /** How many classes there are, at least two. */
  classes: number;
  /** The state that stands for a text: of its last token, which has seen all others, or the mean over tokens. Default "mean". */
  pool?: "last" | "mean";
}

/** Everything that is learned. */
export interface ClassifierParameters<L> extends TrunkParameters<L> {
  /** The head, [C, D]. */
  score: L; // [C, D]
}

/** Texts with their classes. */
export type LabelledBatch = {
  /** u32 [B, T]; what lies past a text's length is not looked at. */
  tokens: Tensor<"u32">;
  /** Tokens of each text, at least 1; u32 [B]. */
  lengths: Tensor<"u32">;
  /** u32 [B]; `IGNORE` for a text that takes no part in the loss. */
  labels: Tensor<"u32">;
};

/** A classifier: what it starts from, and its loss and scores. */
export interface Classifier extends Model {
  /** How many classes there are. */
  readonly classes: number;
  init(key: Key): {
    /** What is learned. */
    parameters: ClassifierParameters<Init>;
    /** What the router keeps and does not learn. */
    buffers: MapLeaves<unknown, Init>;
  };
  inputs(sequences: number): Record<keyof LabelledBatch, InputSpec<"u32">>;
  /** The mean cross entropy over sequences with the router's losses, and the scores. */
  loss(
    parameters: ClassifierParameters<Tensor>,
    batch: LabelledBatch,
    given: LossInput,
  ): LossOutput & {
    /** Scores of each sequence's classes before softmax, [B, C]. */
    scores: Tensor;
  };
}

/** Make a classifier around a router. */
export function classifier(
  config: ModelConfig,
  router: AnyRouter,
  { classes, pool = "mean" }: ClassifierOptions,
): Classifier {
  checkConfig(config);
  if (!Number.isInteger(classes) || classes < 2) {
    throw new Error(`classifier: needs two or more classes, got ${classes}`);
  }
  const { dim, context } = config;

  function init(key: Key) {
    const { parameters, buffers } = initTrunk(config, router, key);
    return { parameters: { ...parameters, score: normal([classes, dim], 0.02, fold(key, "score")) }, buffers };
  }

  function loss(parameters: ClassifierParameters<Tensor>, batch: LabelledBatch, given: LossInput) {
    const [sequences, length] = batch.tokens.shape as [number, number];
    const { trace } = batch.tokens;
    const position = reshape(tokenOfAssignment(constant(trace, [length], 0), 1), [1, length]); // 0, 1, ...
    const lengths = reshape(batch.lengths, [sequences, 1]);
    // IGNORE, the largest u32, is past 2^31 as a float too; of such a text no token goes to an expert.
    const counted = map("counted", [batch.labels], (label) => label.less(2 ** 31));
    const within = map("within", [position, lengths, reshape(counted, [sequences, 1])], (position, lengths, counted) =>
      position.less(lengths).mul(counted),
    ); // [B, T]
    const { x, routed } = runTrunk(config, router, parameters, {
      ...given,
      tokens: reshape(batch.tokens, [sequences * length]),
      mask: reshape(within, [sequences * length]),
      attend: attendWithin(config, sequences, length),
    });
    const share =
      pool === "mean"
        ? map("share", [position, lengths], (position, lengths) => position.less(lengths).div(lengths))
        : map("isLast", [position, lengths], (position, lengths) => position.sub(lengths).add(1).abs().less(0.5));
    const weighted = mul(reshape(x, [sequences, length, dim]), reshape(share, [sequences, length, 1]));
    const pooled = reshape(sum(weighted, 1, 2), [sequences, dim]);
    const scores = linear(pooled, parameters.score); // [B, C]
    const mean = mul(
      sum(crossEntropy(scores, batch.labels)),
      map("perText", [sum(counted)], (texts) => Expression.constant(1).div(texts.max(1))),
    );
    return { ...lossOf(config, mean, routed), scores };
  }

  const inputs = (sequences: number) => ({
    tokens: u32(sequences, context),
    lengths: u32(sequences),
    labels: u32(sequences),
  });
  const resized = (sizes: Partial<ModelConfig>) => classifier({ ...config, ...sizes }, router, { classes, pool });
  return { config, router, classes, init, inputs, loss, resized };
}
