import { type InitStyle, linear, linearBias, linearWeight } from "@webmoe/nn";
import { defineRouter } from "@webmoe/router";
import { fold, type Init } from "@webmoe/tensor";

/** Whether the frozen scores have a bias, and how they start. */
export interface RandomRouterOptions {
  /** Add a bias per expert, frozen too. Default true, as in the authors' runs. */
  bias?: boolean;
  /** Default "torch", the initial values that those runs froze. */
  init?: InitStyle;
}

/**
 * logits = W_l u + b_l with W_l and b_l as they were drawn: a gate that is never trained, on representations that are
 * (RandomSMoE in Qiu et al. 2024, section 4.1; after SMoE-Dropout, Chen et al. 2023, with a fixed number of experts). No learned
 * parameters; L (dE [+ E]) frozen ones.
 */
export function randomRouter({ bias = true, init = "torch" }: RandomRouterOptions = {}) {
  return defineRouter<
    Record<string, never>,
    Record<string, never>,
    undefined,
    { layers: { weight: Init; bias?: Init }[] }
  >({
    name: "random",
    init: ({ dim, experts, layers }, key) => ({
      shared: {},
      layers: Array.from({ length: layers }, () => ({})),
      buffers: {
        layers: Array.from({ length: layers }, (_, index) => ({
          weight: linearWeight([experts, dim], fold(key, `layers.${index}`), init),
          ...(bias && { bias: linearBias(experts, dim, fold(key, `layers.${index}`), init) }),
        })),
      },
    }),
    flops: ({ dim, experts, layers }) => 2 * layers * experts * (dim + (bias ? 1 : 0)),
    score: ({ x, buffers, index }) => {
      const { weight, bias } = buffers!.layers[index]!;
      return { logits: linear(x, weight, bias) };
    },
  });
}
