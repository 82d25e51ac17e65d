// Attention over the key-value cache on software adapters: one invocation has a head, with its weights in memory, as private
// arrays take seconds to compile there.

import type { KernelSource } from "../kernel";

/** The body of `cachedAttention`. */
export function cachedAttention({ heads }: { heads: number }): KernelSource {
  return {
    form: "items",
    items: heads,
    wgsl: /* wgsl */ `
fn run(h: u32) {
  let end = min(position[0] + 1u, sizes.context);
  let scale = 1.0 / sqrt(f32(sizes.headDim));
  let start = h * sizes.context;
  let head = h * sizes.headDim;
  let part = sizes.heads * sizes.headDim;
  var largest = -1e30;
  for (var t = 0u; t < end; t++) {
    var score = 0.0;
    for (var d = 0u; d < sizes.headDim; d++) { score += query[head + d] * cache[2u * t * part + head + d]; }
    weights[start + t] = score * scale;
    largest = max(largest, score * scale);
  }
  var total = 0.0;
  for (var t = 0u; t < end; t++) {
    let weight = exp(weights[start + t] - largest);
    weights[start + t] = weight;
    total += weight;
  }
  totals[2u * h] = largest;
  totals[2u * h + 1u] = total;
  for (var d = 0u; d < sizes.headDim; d++) {
    var sum = 0.0;
    for (var t = 0u; t < end; t++) { sum += weights[start + t] * cache[(2u * t + 1u) * part + head + d]; }
    out[head + d] = sum / total;
  }
}`,
  };
}
