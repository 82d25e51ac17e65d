import type { KernelTarget } from "../kernel";

/** Most positions of a range of a key-value cache. */
export const RANGE = 512;

/** Into how many ranges of positions attention over a cache is cut. */
export function cacheRanges(context: number, { kernelClass }: KernelTarget): number {
  return kernelClass === "tiled" ? Math.ceil(context / RANGE) : 1;
}
