import { type InitStyle, linear, linearBias, linearWeight } from "@webmoe/nn";
import { defineRouter } from "@webmoe/router";
import { fold, type Init } from "@webmoe/tensor";

/** Whether scores have a bias, and how the gate starts. */
export interface LinearRouterOptions {
  /** Add a learned bias per expert. Default false. */
  bias?: boolean;
  /** Initial values: normal with standard deviation 0.02, or PyTorch's for a linear layer. */
  init?: InitStyle;
}

interface Layer {
  weight: Init;
  bias?: Init;
}

/** logits = W_l u + b_l, one gate per layer (Shazeer et al. 2017; the paper's SMoE baseline). L (dE [+ E]) parameters. */
export function linearRouter({ bias = false, init = "normal" }: LinearRouterOptions = {}) {
  return defineRouter<Record<string, never>, Layer, undefined>({
    name: "linear",
    init: ({ dim, experts, layers }, key) => ({
      shared: {},
      layers: Array.from({ length: layers }, (_, index) => ({
        weight: linearWeight([experts, dim], fold(key, `layers.${index}`), init),
        ...(bias ? { bias: linearBias(experts, dim, fold(key, `layers.${index}`), init) } : {}),
      })),
    }),
    score: ({ x, layer }) => ({ logits: linear(x, layer.weight, layer.bias) }),
  });
}
