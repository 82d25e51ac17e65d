import { type InitStyle, linear, linearBias, linearWeight } from "@webmoe/nn";
import { defineRouter, sigmoidTopK } from "@webmoe/router";
import { fold, type Init } from "@webmoe/tensor";

/** How the chosen experts are weighted, and how the gate starts. */
export interface SigmoidRouterOptions {
  /** Add a learned bias per expert. Default false. */
  bias?: boolean;
  /** Let a token's weights sum to one. Default: for topK above 1. */
  renormalize?: boolean;
  /** Initial values: normal with standard deviation 0.02, or PyTorch's for a linear layer. */
  init?: InitStyle;
}

interface Layer {
  weight: Init; // [E, D]
  bias?: Init;
}

/**
 * The K experts with the largest sigmoid(W_l u + b_l), weighted by it: experts do not compete in a softmax (DeepSeek-AI 2024,
 * DeepSeek-V3, arXiv 2412.19437, eq. 13-15). L (dE [+ E]) parameters.
 */
export function sigmoidRouter({ bias = false, renormalize, init = "normal" }: SigmoidRouterOptions = {}) {
  return defineRouter<Record<string, never>, Layer, undefined>({
    name: "sigmoid",
    init: ({ dim, experts, layers }, key) => ({
      shared: {},
      layers: Array.from({ length: layers }, (_, index) => ({
        weight: linearWeight([experts, dim], fold(key, `layers.${index}`), init),
        ...(bias && { bias: linearBias(experts, dim, fold(key, `layers.${index}`), init) }),
      })),
    }),
    score: ({ x, layer }) => ({ logits: linear(x, layer.weight, layer.bias) }),
    select: sigmoidTopK({ renormalize }),
  });
}
