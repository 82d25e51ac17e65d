/** What the editor starts with: a perceptron, the example of the README. */
export const example = `import { linear, linearWeight } from "@webmoe/nn";
import { defineRouter } from "@webmoe/router";
import { fold, silu } from "@webmoe/tensor";

/** logits = B_l silu(A_l u): each layer scores its experts with a small perceptron. */
export default function myRouter({ hidden = 32 }: { hidden?: number } = {}) {
  return defineRouter({
    name: "my router",
    init: ({ dim, experts, layers }, key) => ({
      shared: {},
      layers: Array.from({ length: layers }, (_, index) => ({
        a: linearWeight([hidden, dim], fold(key, \`layers.\${index}.a\`)),
        b: linearWeight([experts, hidden], fold(key, \`layers.\${index}.b\`)),
      })),
    }),
    score: ({ x, layer }) => ({ logits: linear(silu(linear(x, layer.a)), layer.b) }),
  });
}
`;
