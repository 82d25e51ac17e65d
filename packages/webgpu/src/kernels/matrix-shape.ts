// What matrix units (tensor cores) can compute, and in which tiles; the kernels on them are loaded apart (kernels-of-target.ts).

import type { AttentionSizes } from "./attention-shape";

/** Depth of most tiles along the sum. */
export const STEP = 32;

/** Rows and columns of a fragment. */
export const FRAGMENT = 16;

/** Halfs in a vec4u, the unit of copies. */
export const UNIT = 8;

/** Rows of a GRU cell's state that a workgroup takes. */
export const CELL_ROWS = 64;

/** Rows and columns of a workgroup's tile, how many subgroups share each, and its depth along the sum. */
export interface MatrixTile {
  rows: number;
  columns: number;
  subgroupRows: number;
  subgroupColumns: number;
  step: number;
}

const large: MatrixTile = { rows: 128, columns: 128, subgroupRows: 2, subgroupColumns: 2, step: STEP };
// For products of few tiles, where the way from memory takes longer than the multiplications: it is gone half as often.
const small: MatrixTile = { rows: 64, columns: 64, subgroupRows: 2, subgroupColumns: 2, step: 2 * STEP };

/** Multiprocessors of a large device, and tiles of one product that are enough for it: they decide about tiles, never about results. */
const [DEVICE, ENOUGH] = [132, 128];

/** Large tiles where there are enough of them to fill a device. */
export function matrixTile(m: number, n: number, products: number): MatrixTile {
  const tiles = Math.ceil(m / large.rows) * Math.ceil(n / large.columns) * products;
  return tiles < (products === 1 ? ENOUGH : DEVICE) ? small : large;
}

/** Whether matrix units can compute products of these sizes. */
export function productFits(
  { m, n, k }: { m: number; n: number; k: number },
  { transposeA, transposeB }: { transposeA: boolean; transposeB: boolean },
): boolean {
  const whole = (size: number) => size % UNIT === 0;
  return whole(k) && whole(n) && (!transposeA || whole(m)) && (transposeB || whole(n)) && Math.min(m, n) >= UNIT;
}

/** Whether matrix units can compute attention with heads of this width. */
export function attentionFits({ headDim }: AttentionSizes): boolean {
  return headDim % 4 === 0 && headDim >= 16 && headDim <= 128;
}
