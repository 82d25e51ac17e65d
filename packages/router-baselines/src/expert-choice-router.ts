import { type InitStyle, linear, linearBias, linearWeight } from "@webmoe/nn";
import { defineRouter, matrixSelection } from "@webmoe/router";
import { columnRanks, fold, type Init, map, reshape, softmax, stopGradient } from "@webmoe/tensor";

/** How many tokens each expert takes, and how the gate starts. */
export interface ExpertChoiceRouterOptions {
  /** Experts take this times T K / E tokens each. Default 1. */
  capacity?: number;
  /** Add a learned bias per expert. Default false. */
  bias?: boolean;
  /** Initial values: normal with standard deviation 0.02, or PyTorch's for a linear layer. */
  init?: InitStyle;
}

interface Layer {
  weight: Init; // [E, D]
  bias?: Init;
}

/**
 * Every expert takes its C = T K / E best tokens of the batch, by softmax(W_l u) over experts, which also weighs them: perfect
 * balance without a loss (Zhou et al. 2022, Expert Choice, arXiv 2202.09368, section 3.2). L (dE [+ E]) parameters.
 *
 * Not causal: whether an expert takes a token depends on the tokens after it and on the other sequences of the batch, so a
 * training or validation loss is not that of a model that can write. One token alone, as in sampling, goes to every expert.
 * For comparisons while training only.
 */
export function expertChoiceRouter({ capacity = 1, bias = false, init = "normal" }: ExpertChoiceRouterOptions = {}) {
  return defineRouter<Record<string, never>, Layer, undefined>({
    name: "expert-choice",
    init: ({ dim, experts, layers }, key) => ({
      shared: {},
      layers: Array.from({ length: layers }, (_, index) => ({
        weight: linearWeight([experts, dim], fold(key, `layers.${index}`), init),
        ...(bias && { bias: linearBias(experts, dim, fold(key, `layers.${index}`), init) }),
      })),
    }),
    score: ({ x, layer }) => ({ logits: linear(x, layer.weight, layer.bias) }),
    select: ({ logits, mask, topK }) => {
      const [tokens, experts] = logits.shape as [number, number];
      const rows = reshape(mask, [tokens, 1]);
      const taken = Math.min(tokens, Math.ceil((capacity * tokens * topK) / experts)); // C
      const probabilities = map("masked", [softmax(logits), rows], (p, mask) => p.mul(mask));
      const best = columnRanks(stopGradient(probabilities));
      const chosen = map("taken", [best, rows], (rank, mask) => rank.less(taken).mul(mask));
      return matrixSelection({ chosen, weight: probabilities, probabilities, atMost: experts * taken });
    },
  });
}
