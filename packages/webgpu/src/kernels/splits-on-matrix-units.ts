import { DEVICE } from "./matrix-shape";

/** Tiles of a product that fill a large device once over; fewer leave room for splits. */
const WAVE = 256;

/** Sums that are not worth two kernels unless a product has next to no tiles. */
const SHORT = 1024;

/** Shortest sums that are worth a workgroup, and those of products that have tiles enough. */
const [SHORTEST, LONG] = [256, 1024];

/** What a large device does, as `fastestSplits` (matmul-splits.ts) counts it. */
const RATE = { tiles: 2 * DEVICE, flops: 300e12 };

type Sizes = Record<"m" | "n" | "k", number>;

/** Into how many ranges of k, at most `most` unless the product is thin, matrix units split a product. */
export function splitsOnMatrixUnits(
  { m, n, k }: Sizes,
  most: number,
  fastestSplits: (sizes: Sizes, most: number, device: typeof RATE) => number,
): number {
  const tilesOf = (size: number) => Math.ceil(m / size) * Math.ceil(n / size);
  // Where small tiles do for half a device, a second kernel would take longer than it spares.
  if (k <= SHORT && tilesOf(64) >= WAVE / 2) return 1;
  if (tilesOf(128) > WAVE) return fastestSplits({ m, n, k }, Math.ceil(k / LONG), RATE);
  // Small tiles that reach past the matrix are soon computed.
  const isThin = Math.min(m, n) < 64 && k > SHORT;
  const thin = isThin ? Math.min(Math.floor(WAVE / tilesOf(64)), Math.floor((2 * k) / SHORTEST)) : 1;
  return Math.max(1, Math.min(Math.floor(WAVE / tilesOf(128)), most), thin);
}
