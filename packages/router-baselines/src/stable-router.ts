import { type InitStyle, linear, linearWeight } from "@webmoe/nn";
import { defineRouter, topKSelection } from "@webmoe/router";
import {
  constantInit,
  embedding,
  fold,
  type Init,
  logSumExp,
  map,
  normal,
  reshape,
  stopGradient,
  sum,
  type Tensor,
  takeColumns,
  topK as topKColumns,
} from "@webmoe/tensor";

/** When the router is frozen, and what it is distilled into. */
export interface StableRouterOptions {
  /** Steps of the first stage. Default 6000, a tenth of the authors' runs. */
  switchAt?: number;
  /** Width w of the word embeddings that the distilled router reads. Default 50. */
  dim?: number;
  /** Weight of the distillation loss. Default 0.3. */
  distill?: number;
  /** Initial values: normal with standard deviation 0.02, or PyTorch's for a linear layer. */
  init?: InitStyle;
}

interface Shared {
  words: Init; // [V, w]
}

interface Layer {
  experts: Init; // [E, D]
  distilled: Init; // [E, w]
}

interface Buffers {
  /** Steps so far, []. */
  step: Init;
  /** The distilled router as it was at the end of the first stage. */
  words: Init;
  layers: { distilled: Init }[];
}

/**
 * StableMoE in two stages (Dai et al. 2022, arXiv 2204.08396, section 3). In both an expert weighs sigmoid(s), s = E_l u.
 *
 * 1. Tokens go to the K experts with the largest s. A second router learns to name the first of them from the token's id
 *    alone: cross entropy of a_l = B_l w(token) with the best expert.
 * 2. That distilled router is frozen and says where tokens go; no loss acts on the choice any more.
 *
 * The freezing is a copy into the buffers, which no weight decay reaches. The layer's Switch loss takes the place of the
 * paper's balance loss, in the first stage only. One table of words serves all layers. The paper has K = 1; weights are not
 * renormalised. L (dE + wE) + Vw parameters.
 */
export function stableRouter({
  switchAt = 6000,
  dim: width = 50,
  distill = 0.3,
  init = "normal",
}: StableRouterOptions = {}) {
  if (!(switchAt >= 1)) throw new Error(`stableRouter: switchAt needs at least one step, got ${switchAt}`);
  return defineRouter<Shared, Layer, undefined, Buffers>({
    name: "stable",
    init: ({ dim, experts, layers, vocab }, key) => ({
      shared: { words: normal([vocab, width], 0.02, fold(key, "words")) },
      layers: Array.from({ length: layers }, (_, index) => ({
        experts: linearWeight([experts, dim], fold(key, `layers.${index}.experts`), init),
        distilled: linearWeight([experts, width], fold(key, `layers.${index}.distilled`), init),
      })),
      buffers: {
        step: constantInit([], 0),
        words: constantInit([vocab, width], 0),
        layers: Array.from({ length: layers }, () => ({ distilled: constantInit([experts, width], 0) })),
      },
    }),
    flops: ({ dim, experts, layers }) => 2 * layers * experts * (dim + width),
    score: ({ x, shared, layer, tokens, mask, buffers }) => {
      const logits = linear(x, layer.experts);
      const named = linear(embedding(shared.words, tokens), layer.distilled); // [T, E]
      const best = reshape(takeColumns(named, topKColumns(stopGradient(logits), 1)), [mask.size]);
      const { step, layers } = buffers!;
      const missed = map("distill", [logSumExp(named), best, mask, step], (total, best, mask, step) =>
        total.sub(best).mul(mask).mul(step.less(switchAt)),
      );
      const loss = map("distillLoss", [sum(missed), sum(mask)], (missed, tokens) =>
        missed.div(tokens.max(1)).mul(distill / layers.length),
      );
      return { logits, losses: { distill: loss } };
    },
    select: ({ logits, tokens, mask, topK, buffers, index }) => {
      const { step, words, layers } = buffers!;
      const frozen = linear(embedding(words, tokens), layers[index]!.distilled);
      const choice = byStage(step, stopGradient(logits), frozen);
      const scores = map("sigmoid", [logits], (x) => x.sigmoid());
      const { probabilities, ...selection } = topKSelection({ choice, scores, mask, topK, renormalize: false });
      return { ...selection, probabilities: byStage(step, probabilities, stopGradient(probabilities)) };
    },
    afterStep: ({ buffers, shared, layers }) => {
      const step = map("nextStep", [buffers.step], (step) => step.add(1));
      const keep = (learned: Tensor, frozen: Tensor) =>
        map("freeze", [learned, frozen, step], (learned, frozen, step) =>
          step.sub(switchAt).abs().less(0.5).select(learned, frozen),
        );
      return {
        step,
        words: keep(shared.words, buffers.words),
        layers: layers.map(({ distilled }, index) => ({
          distilled: keep(distilled, buffers.layers[index]!.distilled),
        })),
      };
    },
  });

  function byStage(step: Tensor, first: Tensor, second: Tensor): Tensor {
    return map("stage", [step, first, second], (step, first, second) => step.less(switchAt).select(first, second));
  }
}
