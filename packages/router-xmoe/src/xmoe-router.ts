import { linear, linearWeight, orthogonal } from "@webmoe/nn";
import { defineRouter } from "@webmoe/router";
import { fold, type Init } from "@webmoe/tensor";
import { cosineScores, initTemperature, type TemperatureOptions } from "./cosine-scores";

/** The width of the space of the cosines, and what they are divided by. */
export interface XmoeRouterOptions extends TemperatureOptions {
  /** Width d_e that tokens and experts are compared in. Default 16. */
  dim?: number;
}

interface Layer {
  projection: Init; // [d_e, D]
  experts: Init; // [E, d_e]
  temperature?: Init; // []
}

/**
 * logits = cos(D_l u, e_n) / tau_l in a low dimension, with a learned temperature (Chi et al. 2022, arXiv 2204.09179,
 * section 3). L (d d_e + E d_e [+ 1]) parameters.
 */
export function xmoeRouter({ dim: width = 16, ...options }: XmoeRouterOptions = {}) {
  return defineRouter<Record<string, never>, Layer, undefined>({
    name: "xmoe",
    init: ({ dim, experts, layers }, key) => ({
      shared: {},
      layers: Array.from({ length: layers }, (_, index) => {
        const own = fold(key, `layers.${index}`);
        return {
          projection: linearWeight([width, dim], fold(own, "projection")),
          experts: orthogonal(experts, width, 0.32, fold(own, "experts")),
          ...initTemperature(options),
        };
      }),
    }),
    score: ({ x, layer }) => {
      const tau = layer.temperature ?? options.temperature ?? 0.3;
      return { logits: cosineScores(linear(x, layer.projection), layer.experts, tau) };
    },
  });
}
