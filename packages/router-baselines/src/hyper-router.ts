import { type InitStyle, linear, linearBias, linearWeight } from "@webmoe/nn";
import { defineRouter } from "@webmoe/router";
import { fold, type Init, map, normal, reshape } from "@webmoe/tensor";

/** The sizes of the network that makes the gates, and how it starts. */
export interface HyperRouterOptions {
  /** Inner width h of the hypernetwork. Default 256, as in the authors' code. */
  hidden?: number;
  /** How the frozen hypernetwork is drawn. Default "torch". */
  init?: InitStyle;
}

/** A random network that is never trained: from an embedding [D] to a gate's weight [E D] and bias [E]. */
interface Hypernet {
  inner: Init; // [h, D]
  innerBias: Init;
  weight: Init; // [E D, h]
  weightBias: Init;
  bias: Init; // [E, h]
  biasBias: Init;
}

/**
 * logits = W_l u + b_l, where (W_l, b_l) = F_l(e_l): a frozen random two-layer ReLU network F_l turns one learned embedding e_l
 * into the gate of the layer (Do et al. 2023, HyperRouter, arXiv 2312.07035, section 3.2). L d learned parameters;
 * L (dh + h + h (dE + E) + dE + E) frozen ones.
 */
export function hyperRouter({ hidden = 256, init = "torch" }: HyperRouterOptions = {}) {
  return defineRouter<Record<string, never>, { embedding: Init }, undefined, { layers: Hypernet[] }>({
    name: "hyper",
    init: ({ dim, experts, layers }, key) => {
      const keys = Array.from({ length: layers }, (_, index) => fold(key, `layers.${index}`));
      return {
        shared: {},
        layers: keys.map((own) => ({ embedding: normal([1, dim], 1, fold(own, "embedding")) })),
        buffers: {
          layers: keys.map((own) => ({
            inner: linearWeight([hidden, dim], fold(own, "inner"), init),
            innerBias: linearBias(hidden, dim, fold(own, "inner"), init),
            weight: linearWeight([experts * dim, hidden], fold(own, "weight"), init),
            weightBias: linearBias(experts * dim, hidden, fold(own, "weight"), init),
            bias: linearWeight([experts, hidden], fold(own, "bias"), init),
            biasBias: linearBias(experts, hidden, fold(own, "bias"), init),
          })),
        },
      };
    },
    // Making the gate takes its time once a batch, whatever the number of tokens.
    flops: ({ dim, experts, layers }) => 2 * layers * experts * (dim + 1),
    score: ({ x, layer, buffers, index }) => {
      const frozen = buffers!.layers[index]!;
      const inner = map("relu", [linear(layer.embedding, frozen.inner, frozen.innerBias)], (x) => x.max(0)); // [1, h]
      const weight = linear(inner, frozen.weight, frozen.weightBias); // [1, E D]
      const bias = linear(inner, frozen.bias, frozen.biasBias); // [1, E]
      return { logits: linear(x, reshape(weight, [bias.size, layer.embedding.size]), reshape(bias, [bias.size])) };
    },
  });
}
