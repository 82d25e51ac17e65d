import { defineRouter, matrixSelection } from "@webmoe/router";
import { constantInit, type Init, map, reshape } from "@webmoe/tensor";

/**
 * No routing: every token goes to every expert with weight 1. As the experts' outputs are summed, that is one SwiGLU layer of E
 * times an expert's width: a dense layer of the total size, or in a model with E = K experts one of the active size. No learned
 * parameters; its logits are E zeros.
 */
export function denseRouter() {
  return defineRouter<Record<string, never>, Record<string, never>, undefined, { logits: Init }>({
    name: "dense",
    init: ({ experts, layers }) => ({
      shared: {},
      layers: Array.from({ length: layers }, () => ({})),
      buffers: { logits: constantInit([experts], 0) },
    }),
    score: ({ mask, buffers }) => ({
      logits: map("even", [buffers!.logits, reshape(mask, [mask.size, 1])], (logits) => logits), // [T, E]
    }),
    select: ({ logits, mask }) => {
      const chosen = map("all", [logits, reshape(mask, [mask.size, 1])], (_, mask) => mask);
      const probabilities = map("share", [chosen], (chosen) => chosen.mul(1 / logits.shape[1]!));
      return matrixSelection({ chosen, weight: chosen, probabilities });
    },
  });
}
