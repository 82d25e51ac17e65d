// The gradient of an embedding on software adapters: one invocation has an entry of the vocabulary.

import type { KernelSource } from "../kernel";

/** The body of `embeddingGradient` and of `embeddingGradientOfTokens`. */
export function embeddingGradient({ vocab }: { vocab: number }): KernelSource {
  return {
    form: "items",
    items: vocab,
    wgsl: /* wgsl */ `
fn run(v: u32) {
  let start = v * sizes.cols;
  for (var c = 0u; c < sizes.cols; c++) { dweight[start + c] = 0.0; }
  for (var t = 0u; t < sizes.tokens; t++) {
    if (tokens[t] == v) {
      for (var c = 0u; c < sizes.cols; c++) { dweight[start + c] += dy[t * sizes.cols + c]; }
    }
  }
}`,
  };
}
