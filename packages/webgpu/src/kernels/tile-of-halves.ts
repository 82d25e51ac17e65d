import { DEVICE, FRAGMENT, large, type MatrixTile, matrixTile, STEP, tilesOf } from "./matrix-shape";

// These two have a multiprocessor to themselves, where two large tiles run side by side, and take so much of its memory.
const ROOM = 40960;
const wide: MatrixTile = { rows: 128, columns: 256, subgroupRows: 2, subgroupColumns: 4, step: FRAGMENT, stages: 2 };
const medium: MatrixTile = { rows: 128, columns: 192, subgroupRows: 2, subgroupColumns: 4, step: STEP, stages: 1 };
// For weight gradients: operands that lie across the sum need few enough registers for a second stage.
const staged: MatrixTile = { ...large, step: FRAGMENT, stages: 2 };

/** Shares of a device's rounds: what tiles must fill to be chosen before large ones, and what large ones leave too empty. */
const [FULL, SPARSE] = [0.9, 0.8];

/** Sums from which on a shader of their own pays, and up to which it does where results are f32. */
const [SHORT, LONG] = [512, 1024];

/** What decides about the tiles of a product, besides its sizes. */
export interface ProductForm {
  transposeA: boolean;
  transposeB: boolean;
  /** Whether the result is rounded to f16 alone. */
  resultHalves: boolean;
  /** Whether all of the products sum over as many terms. */
  whole: boolean;
  /** Bytes of workgroup memory that a workgroup may take. */
  memory: number;
}

/** Tiles that should compute products of these sizes in the least time where operands are f16, by measurement on an H100. */
export function tileOfHalves(
  { m, n, k }: { m: number; n: number; k: number },
  { transposeA, transposeB, resultHalves, whole, memory }: ProductForm,
  products: number,
): MatrixTile {
  const plain = matrixTile({ m, n }, products);
  if (plain !== large) return plain;
  const all = tilesOf(large, { m, n }) * products;
  const filled = (tile: MatrixTile, atOnce: number) => {
    const rounds = (tilesOf(tile, { m, n }) * products) / atOnce;
    return rounds / Math.ceil(rounds);
  };
  // Two stages take two steps a round.
  const fitsStages = whole && k % (2 * FRAGMENT) === 0;
  if (transposeA) {
    // Of parts those of square products alone: what is thin takes no longer to multiply than to compile.
    const pays = products === 1 ? all > 2 * DEVICE : Math.min(m, n, k) >= SHORT;
    return fitsStages && pays ? staged : large;
  }
  if (memory < ROOM) return large;
  const fills = (tile: MatrixTile) => n % tile.columns === 0 && filled(tile, DEVICE) > FULL;
  if (!transposeB && fills(medium) && filled(large, 2 * DEVICE) < SPARSE) return medium;
  const paysWide = k >= SHORT && (resultHalves || (!transposeB && k <= LONG));
  return fitsStages && paysWide && fills(wide) ? wide : large;
}
