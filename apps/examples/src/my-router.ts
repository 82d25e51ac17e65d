// A router of your own is one file: webmoe train --router apps/examples/src/my-router.ts --set router.hidden=32

import { linear, linearWeight } from "@webmoe/nn";
import { defineRouter } from "@webmoe/router";
import { fold, silu } from "@webmoe/tensor";

/** logits = B_l silu(A_l u): each layer scores its experts with a small perceptron. */
export default function mlpRouter({ hidden = 32 }: { hidden?: number } = {}) {
  return defineRouter({
    name: "mlp",
    init: ({ dim, experts, layers }, key) => ({
      shared: {},
      layers: Array.from({ length: layers }, (_, index) => ({
        a: linearWeight([hidden, dim], fold(key, `layers.${index}.a`)),
        b: linearWeight([experts, hidden], fold(key, `layers.${index}.b`)),
      })),
    }),
    score: ({ x, layer }) => ({ logits: linear(silu(linear(x, layer.a)), layer.b) }),
  });
}
