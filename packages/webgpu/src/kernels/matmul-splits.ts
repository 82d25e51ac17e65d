// Into how many ranges along the sum a product is split: more than one where its tiles leave a large device idle. Parts are
// written, read and added by a kernel of their own (sum-parts.ts).

import type { KernelTarget } from "../kernel";
import { matrixKernels } from "./kernels-of-target";
import { hasFewRows } from "./matmul-rows";
import { DEVICE, STEP, usesMatrixUnits } from "./matrix-shape";

/** What is multiplied: [m, k] by [k, n], so often. */
interface Sizes {
  batch: number;
  m: number;
  n: number;
  k: number;
}

/** Longest sum that one part of a split product takes; a multiple of what every class steps by. */
export function splitRange(k: number, splits: number): number {
  return Math.ceil(k / splits / STEP) * STEP;
}

/** Most parts of a product unless they are as long as LONG, and the shortest sum that one of them is worth a workgroup for. */
const MOST_PARTS = 32;
const SHORTEST = 256;
const LONG = 1024;

/** Into how many ranges of k to split a product: more than one where its tiles are few and its sums long. */
export function matmulSplits(
  { batch, m, n, k }: Sizes,
  layout: { transposeA: boolean; transposeB: boolean },
  target: KernelTarget,
): number {
  if (target.kernelClass === "serial" || batch > 1 || hasFewRows(m, layout)) return 1;
  const most = Math.max(1, Math.min(Math.floor(k / SHORTEST), Math.max(MOST_PARTS, Math.floor(k / LONG))));
  const inRanges = (wanted: number) => Math.ceil(k / splitRange(k, wanted));
  if (!usesMatrixUnits(target)) return inRanges(fastestSplits({ m, n, k }, most, VECTORS));
  return inRanges(matrixKernels().splits.splitsOnMatrixUnits({ m, n, k }, most, fastestSplits));
}

/** What a large device does: tiles of 128 in a round of one's length, and multiplications and additions in a second. */
interface Rate {
  tiles: number;
  flops: number;
}

const VECTORS: Rate = { tiles: DEVICE, flops: 40e12 };

/** Bytes, and kernels one after the other, that a large device takes in a second. */
const [BYTES, KERNELS] = [2.5e12, 2e5];

/**
 * Into how many ranges of k to split a product, at most `most`: as many as should take the least time. Workgroups of equal work
 * leave multiprocessors idle in the last of their rounds, and one alone on a multiprocessor reaches 0.88 of what two do; parts
 * are written, read and added.
 */
function fastestSplits({ m, n, k }: Omit<Sizes, "batch">, most: number, device: Rate): number {
  const tiles = Math.ceil(m / 128) * Math.ceil(n / 128);
  const seconds = (splits: number) => {
    const rounds = (tiles * splits) / device.tiles;
    const rate = (rounds / Math.ceil(rounds)) * (rounds <= 1 ? 0.88 : 1) * device.flops;
    const sum = splits === 1 ? 0 : ((2 * splits + 1) * m * n * 4) / BYTES + 1 / KERNELS;
    return (2 * m * n * k) / rate + sum;
  };
  const candidates = Array.from({ length: most }, (_, i) => i + 1);
  return candidates.reduce((best, splits) => (seconds(splits) < seconds(best) ? splits : best));
}
