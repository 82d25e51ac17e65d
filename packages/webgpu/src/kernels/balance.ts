// How evenly a router spreads tokens, in two stages: sums over a few chunks of tokens, then over those. The entropy rides
// along, as the probabilities are read for the balance anyway.

import { kernel } from "../kernel";
import { columnSums } from "./column-sums";

/** In how many chunks of at most 256 tokens probabilities are summed. */
export const balanceChunks = (tokens: number): number => Math.ceil(tokens / 256);

/** partial[chunk,0,e] = sum over the rows r of the chunk of p[r,e], partial[chunk,1,e] = that of -p[r,e] ln p[r,e] */
export const probabilitySums = kernel({
  name: "probabilitySums",
  buffers: { p: "read", partial: "write" },
  sizes: { rows: "u32", cols: "u32", chunks: "u32" },
  flops: ({ rows, cols }) => 4 * rows * cols,
  source: (sizes, target) =>
    columnSums(
      { ...sizes, terms: ["p[at]", "-p[at] * log(p[at] + 1e-30)"], buffers: ["p"], result: "partial" },
      target,
    ),
});

/**
 * With total[e] = sum over chunks of sums[chunk,0,e] and f[e] = load[e] / (sum of load * tokens[0]):
 * slope[e] = experts * f[e], loss[0] = sum over e of slope[e] * total[e];
 * entropy[0] = sum over chunks and e of sums[chunk,1,e] / tokens[0]
 */
export const balance = kernel({
  name: "balance",
  buffers: {
    sums: "read",
    load: "read",
    tokens: "read",
    loss: "write",
    slope: "write",
    total: "write",
    entropy: "write",
  },
  sizes: { experts: "u32", chunks: "u32" },
  source: () => ({
    form: "rows",
    rows: 1,
    wgsl: /* wgsl */ `
fn run(row: u32) {
  var assignments = 0.0;
  for (var e = first(); e < sizes.experts; e += step()) { assignments += load[e]; }
  let scale = f32(sizes.experts) / max(1.0, rowSum(assignments) * tokens[0]);
  var unevenness = 0.0;
  var uncertainty = 0.0;
  for (var e = first(); e < sizes.experts; e += step()) {
    var probability = 0.0;
    for (var chunk = 0u; chunk < sizes.chunks; chunk++) {
      probability += sums[2u * chunk * sizes.experts + e];
      uncertainty += sums[(2u * chunk + 1u) * sizes.experts + e];
    }
    total[e] = probability;
    slope[e] = scale * load[e];
    unevenness += scale * load[e] * probability;
  }
  unevenness = rowSum(unevenness);
  uncertainty = rowSum(uncertainty);
  if (isFirst()) {
    loss[0] = unevenness;
    entropy[0] = uncertainty / max(1.0, tokens[0]);
  }
}`,
  }),
});

/** dprobabilities[t,e] = slope[e] * dloss[0] */
export const balanceBackward = kernel({
  name: "balanceBackward",
  buffers: { slope: "read", dloss: "read", dprobabilities: "write" },
  sizes: { rows: "u32", cols: "u32" },
  source: ({ rows, cols }) => ({
    form: "items",
    items: rows * cols,
    wgsl: "fn run(i: u32) { dprobabilities[i] = slope[i % sizes.cols] * dloss[0]; }",
  }),
});
