import { type InitStyle, linear, linearBias, linearWeight } from "@webmoe/nn";
import { defineRouter } from "@webmoe/router";
import { fold, type Init, map } from "@webmoe/tensor";
import { gelu } from "./gelu";

/** The width and the activation of the perceptron, and how it starts. */
export interface MlpRouterOptions {
  /** Width h of the inner layer. Default 256, the paper's by its parameter count. */
  hidden?: number;
  /** Between the layers; the paper says GELU in section 4.1 and ReLU in its related work. Default "gelu". */
  activation?: "gelu" | "relu";
  /** Biases in both layers. Default true. */
  bias?: boolean;
  /** Initial values: normal with standard deviation 0.02, or PyTorch's for a linear layer. */
  init?: InitStyle;
}

interface Layer {
  inner: Init; // [h, D]
  innerBias?: Init;
  gate: Init; // [E, h]
  gateBias?: Init;
}

/**
 * logits = B_l gelu(A_l u + a_l) + b_l: a perceptron a layer (Shen et al. 2023, ModuleFormer, arXiv 2306.04640; SMoE-MLP in
 * Qiu et al. 2024, section 4.1). L (dh [+ h] + hE [+ E]) parameters.
 */
export function mlpRouter({ hidden = 256, activation = "gelu", bias = true, init = "normal" }: MlpRouterOptions = {}) {
  return defineRouter<Record<string, never>, Layer, undefined>({
    name: "mlp",
    init: ({ dim, experts, layers }, key) => ({
      shared: {},
      layers: Array.from({ length: layers }, (_, index) => {
        const own = fold(key, `layers.${index}`);
        return {
          inner: linearWeight([hidden, dim], fold(own, "inner"), init),
          gate: linearWeight([experts, hidden], fold(own, "gate"), init),
          ...(bias && {
            innerBias: linearBias(hidden, dim, fold(own, "inner"), init),
            gateBias: linearBias(experts, hidden, fold(own, "gate"), init),
          }),
        };
      }),
    }),
    score: ({ x, layer }) => {
      const inner = linear(x, layer.inner, layer.innerBias); // [T, h]
      const active = activation === "gelu" ? gelu(inner) : map("relu", [inner], (x) => x.max(0));
      return { logits: linear(active, layer.gate, layer.gateBias) };
    },
  });
}
