import { type InitStyle, linear, linearBias, linearWeight } from "@webmoe/nn";
import { defineRouter } from "@webmoe/router";
import { fold, type Init } from "@webmoe/tensor";

/** Whether scores have a bias, and how the gate starts. */
export interface OmniRouterOptions {
  /** Add a learned bias per expert. Default false. */
  bias?: boolean;
  /** Initial values: normal with standard deviation 0.02, or PyTorch's for a linear layer. */
  init?: InitStyle;
}

/**
 * logits = W u_l + b with one gate for all layers, so that layers choose alike (Gu et al. 2025, Omni-router, arXiv 2507.05724).
 * dE [+ E] parameters.
 */
export function omniRouter({ bias = false, init = "normal" }: OmniRouterOptions = {}) {
  return defineRouter<{ weight: Init; bias?: Init }, Record<string, never>, undefined>({
    name: "omni",
    init: ({ dim, experts, layers }, key) => ({
      shared: {
        weight: linearWeight([experts, dim], fold(key, "gate"), init),
        ...(bias && { bias: linearBias(experts, dim, fold(key, "gate"), init) }),
      },
      layers: Array.from({ length: layers }, () => ({})),
    }),
    score: ({ x, shared }) => ({ logits: linear(x, shared.weight, shared.bias) }),
  });
}
