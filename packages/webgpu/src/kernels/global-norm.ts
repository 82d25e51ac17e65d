// The norm of all gradients together, and how much to shrink them so that it is at most `maxNorm`; both stay on the GPU.

import { kernel } from "../kernel";
import { wide } from "./wide";

/** sums[chunk] = sum of x^2 over a chunk of neighbouring elements, all chunks alike but the last ones */
export const sumOfSquares = kernel({
  name: "sumOfSquares",
  buffers: { x: "read", sums: "write" },
  sizes: { items: "u32", chunks: "u32" },
  flops: ({ items }) => 2 * items,
  source: ({ items, chunks }, target) => {
    const { lanes, vectors, dot } = wide(target, items, ["x"]);
    return {
      form: "rows",
      rows: chunks,
      vectors,
      wgsl: /* wgsl */ `
fn run(row: u32) {
  let all = sizes.items / ${lanes}u;
  let length = (all + sizes.chunks - 1u) / sizes.chunks;
  let start = row * length;
  let end = min(start + length, all);
  var total = 0.0;
  for (var i = start + first(); i < end; i += step()) { total += ${dot("x[i]", "x[i]")}; }
  total = rowSum(total);
  if (isFirst()) { sums[row] = total; }
}`,
    };
  },
});

/**
 * norm[0] = sqrt(sum of sums), coefficient[0] = min(1, maxNorm / (norm + 1e-6)); 1 when maxNorm <= 0, and -1, which skips the
 * update, when the norm is not finite or loss[0] is mostLoss or more
 */
export const clipCoefficient = kernel({
  name: "clipCoefficient",
  buffers: { sums: "read", loss: "read", norm: "write", coefficient: "write" },
  sizes: { chunks: "u32", maxNorm: "f32", mostLoss: "f32" },
  source: () => ({
    form: "rows",
    rows: 1,
    wgsl: /* wgsl */ `
fn run(row: u32) {
  var total = 0.0;
  for (var i = first(); i < sizes.chunks; i += step()) { total += sums[i]; }
  total = sqrt(rowSum(total));
  if (isFirst()) {
    norm[0] = total;
    // Compilers may assume that no number is infinite or not a number: look at the bits.
    let finite = (bitcast<u32>(total) & 0x7f800000u) != 0x7f800000u;
    let clipped = select(1.0, min(1.0, sizes.maxNorm / (total + 1e-6)), sizes.maxNorm > 0.0);
    coefficient[0] = select(-1.0, clipped, finite && loss[0] < sizes.mostLoss);
  }
}`,
  }),
});
