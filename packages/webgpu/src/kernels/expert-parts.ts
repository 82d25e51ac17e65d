// How the rows of experts are cut for the gradients of their weights. Such a gradient is a sum over all rows of its expert, and
// the workgroups of the expert with the most rows would end long after all others. So rows past a few even shares are cut off in
// parts of that many, each with a sum of its own ("spare"), which add-spares.ts adds:
//
//   expert 0  ooooooo                       parts, longest first      expert 2  XXXXXXXX  -> spare 0
//   expert 1  oooo                                                    expert 2  XXXXXXXX  -> spare 1
//   expert 2  XXXXXXXXYYYYYYYYooo                                     expert 0  ooooooo   -> its gradient
//                                                                     ...
//
// The last part of each expert, which may have no rows, is written to the gradient itself. A part is a vec4u: its first row, its
// rows, its expert, and its spare sum or none. Where there can be no spare sums each expert is a part, in their order.

import type { KernelTarget } from "../kernel";

/** Rows from which on a part is worth it that its sum is written, read and added. */
const LEAST_ROWS = 1536;

/** Elements of all experts' matrices, as many as the tiles that a large device computes at once have. */
const DEVICE = 132 * 128 * 128;

/** The sizes of cutting the rows of `assignments` to experts. */
export interface PartSizes {
  /** Most rows of a part, a multiple of the tile. */
  most: number;
  /** How many parts more than experts there are at most, whatever their loads. */
  spares: number;
}

/**
 * Into which parts experts' rows are cut, in tiles of `tile` rows, for matrices of `width` elements; on software adapters, which have
 * few lanes to keep busy, not at all. A device that is full has other work while it waits for two shares.
 */
export function partSizes(
  { assignments, experts, tile, width }: Record<"assignments" | "experts" | "tile" | "width", number>,
  { kernelClass }: KernelTarget,
): PartSizes {
  const all = Math.max(1, assignments);
  const shares = width * experts < DEVICE ? 1.5 : 2;
  const rows = Math.ceil((shares * all) / experts / tile) * tile;
  const most = kernelClass === "tiled" ? Math.max(LEAST_ROWS, rows) : all;
  return { most, spares: Math.floor((all - 1) / most) };
}
