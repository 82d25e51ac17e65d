import { orthogonal } from "@webmoe/nn";
import { defineRouter } from "@webmoe/router";
import { fold, type Init } from "@webmoe/tensor";
import { cosineScores, initTemperature, type TemperatureOptions } from "./cosine-scores";

interface Layer {
  experts: Init; // [E, D]
  temperature?: Init; // []
}

/**
 * logits = cos(u, e_n) / tau_l in the full dimension: XMoE without its projection, the paper's CosineMoE (Qiu et al. 2024,
 * arXiv 2408.06793, section 4.1). L (E d [+ 1]) parameters.
 */
export function cosineRouter(options: TemperatureOptions = {}) {
  return defineRouter<Record<string, never>, Layer, undefined>({
    name: "cosine",
    init: ({ dim, experts, layers }, key) => ({
      shared: {},
      layers: Array.from({ length: layers }, (_, index) => ({
        experts: orthogonal(experts, dim, 0.32, fold(key, `layers.${index}.experts`)),
        ...initTemperature(options),
      })),
    }),
    score: ({ x, layer }) => ({
      logits: cosineScores(x, layer.experts, layer.temperature ?? options.temperature ?? 0.3),
    }),
  });
}
