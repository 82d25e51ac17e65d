// Dynamic loss scaling (Micikevicius et al. 2018, https://arxiv.org/abs/1710.03740, section 3.2). Gradients are computed of
// the loss times `scale`, so that small ones survive being rounded to f16. A step whose gradients overflowed is skipped,
// and the scale halved; after `interval` steps without one it doubles. A step whose loss exploded is skipped as well, but says
// nothing of the scale: its gradients may overflow with any. All of it stays on the GPU.

import { kernel } from "../kernel";

/** The scale never leaves this range; both ends are powers of two, so that scaling is exact. */
const [SMALLEST, LARGEST] = ["1.0", "16777216.0"];

/**
 * With s = scale[0] and n = sqrt(sum of sums) / s: norm[0] = n, coefficient[0] = min(1, maxNorm / (n + 1e-6)) / s, without the
 * minimum for maxNorm 0; or -1, which skips the update, when n is not finite or loss[0] is mostLoss or more. Then scale[0] and
 * the counters move on; where loss[0] is finite and mostLoss or more, only that of skipped steps.
 */
export const unscale = kernel({
  name: "unscale",
  buffers: {
    /** Of squares of the gradients of the scaled loss. */
    sums: "read",
    loss: "read",
    scale: "update",
    /** Steps since the scale changed, and steps skipped in all. */
    clean: "update u32",
    skipped: "update u32",
    norm: "write",
    coefficient: "write",
  },
  sizes: { chunks: "u32", maxNorm: "f32", mostLoss: "f32", interval: "u32" },
  specialize: false,
  source: () => ({
    form: "rows",
    rows: 1,
    wgsl: /* wgsl */ `
fn run(row: u32) {
  var total = 0.0;
  for (var i = first(); i < sizes.chunks; i += step()) { total += sums[i]; }
  total = sqrt(rowSum(total));
  if (!isFirst()) { return; }
  let s = scale[0];
  let n = total / s;
  norm[0] = n;
  // Compilers may assume that no number is infinite or not a number: look at the bits.
  let overflowed = (bitcast<u32>(total) & 0x7f800000u) == 0x7f800000u;
  let finiteLoss = (bitcast<u32>(loss[0]) & 0x7f800000u) != 0x7f800000u;
  let exploded = finiteLoss && loss[0] >= sizes.mostLoss;
  if (exploded || overflowed) {
    coefficient[0] = -1.0;
    skipped[0] += 1u;
    if (!exploded) {
      scale[0] = max(${SMALLEST}, 0.5 * s);
      clean[0] = 0u;
    }
    return;
  }
  coefficient[0] = select(1.0, min(1.0, sizes.maxNorm / (n + 1e-6)), sizes.maxNorm > 0.0) / s;
  clean[0] += 1u;
  if (clean[0] == sizes.interval) {
    clean[0] = 0u;
    scale[0] = min(${LARGEST}, 2.0 * s);
  }
}`,
  }),
});
