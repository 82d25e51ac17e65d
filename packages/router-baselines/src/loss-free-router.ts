import { type InitStyle, linear, linearWeight } from "@webmoe/nn";
import { defineRouter, topKSelection } from "@webmoe/router";
import {
  constant,
  constantInit,
  fold,
  type Init,
  map,
  reshape,
  softmax,
  stopGradient,
  sum,
  type Tensor,
  tokenOfAssignment,
} from "@webmoe/tensor";

/** How fast the selection bias moves, and what scores are. */
export interface LossFreeRouterOptions {
  /** How far the bias of an expert moves after a step. Default 0.001. */
  rate?: number;
  /** From logits to scores. Default "sigmoid". */
  scores?: "sigmoid" | "softmax";
  /** Initial values: normal with standard deviation 0.02, or PyTorch's for a linear layer. */
  init?: InitStyle;
}

/**
 * Experts are chosen by s + b and weighted by s alone; after each step b rises by `rate` for experts with less than the mean
 * load and falls for those with more (Wang et al. 2024, arXiv 2408.15664, algorithm 1; DeepSeek-V3). In place of a balance
 * loss: the layer's is reported, but has no gradient. L d E parameters; L E buffers.
 */
export function lossFreeRouter({ rate = 0.001, scores = "sigmoid", init = "normal" }: LossFreeRouterOptions = {}) {
  return defineRouter<Record<string, never>, { weight: Init }, undefined, { bias: Init }>({
    name: "loss-free",
    init: ({ dim, experts, layers }, key) => ({
      shared: {},
      layers: Array.from({ length: layers }, (_, index) => ({
        weight: linearWeight([experts, dim], fold(key, `layers.${index}`), init),
      })),
      buffers: { bias: constantInit([layers, experts], 0) },
    }),
    score: ({ x, layer }) => ({ logits: linear(x, layer.weight) }),
    select: ({ logits, mask, topK, buffers, index }) => {
      const score = scores === "softmax" ? softmax(logits) : map("sigmoid", [logits], (x) => x.sigmoid());
      const choice = map("biased", [stopGradient(score), rowOf(buffers!.bias, index)], (score, bias) =>
        score.add(bias),
      );
      const selection = topKSelection({ choice, scores: score, mask, topK, renormalize: topK > 1 });
      return { ...selection, probabilities: stopGradient(selection.probabilities) };
    },
    afterStep: ({ buffers, load }) => {
      const experts = load.shape[1]!;
      const bias = map("nextBias", [buffers.bias, load, sum(load, 1, 2)], (bias, load, total) => {
        const mean = total.div(experts);
        return bias.add(load.less(mean).sub(mean.less(load)).mul(rate));
      });
      return { bias };
    },
  });
}

/** Row `index` of a small matrix [L, E], as [1, E]. */
function rowOf(matrix: Tensor, index: number): Tensor {
  const rows = matrix.shape[0]!;
  const number = reshape(tokenOfAssignment(constant(matrix.trace, [rows], 0), 1), [rows, 1]);
  const kept = map("rowOf", [matrix, number], (x, row) => row.sub(index).abs().less(0.5).mul(x));
  return sum(kept, 0, 1);
}
