// What matrix units (tensor cores) can compute, and in which tiles; the kernels on them are loaded apart (kernels-of-target.ts).

import type { KernelTarget } from "../kernel";
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
  /** Copies of the tile in workgroup memory: with two of them the next step's fragments are read while one multiplies. */
  stages: 1 | 2;
}

/** What large products are computed in. */
export const large: MatrixTile = {
  rows: 128,
  columns: 128,
  subgroupRows: 2,
  subgroupColumns: 2,
  step: STEP,
  stages: 1,
};
// For products of few tiles, where the way from memory takes longer than the multiplications: it is gone half as often.
const small: MatrixTile = { rows: 64, columns: 64, subgroupRows: 2, subgroupColumns: 2, step: 2 * STEP, stages: 1 };

/** Multiprocessors of a large device, which decide about tiles, never about results; tiles of one product that are enough for it. */
export const DEVICE = 132;
const ENOUGH = 128;

/** Tiles that compute products of f32 operands, which leave no registers for more than large ones. */
export function matrixTile({ m, n }: { m: number; n: number }, products: number): MatrixTile {
  return tilesOf(large, { m, n }) * products < (products === 1 ? ENOUGH : DEVICE) ? small : large;
}

/** How many tiles a product has. */
export function tilesOf({ rows, columns }: MatrixTile, { m, n }: { m: number; n: number }): number {
  return Math.ceil(m / rows) * Math.ceil(n / columns);
}

/** Bytes of workgroup memory with which a device has all kernels; with less it does without vectors in attention, and without matrix units. */
export const AMPLE_MEMORY = 32768;

/** Whether a workgroup may take as much memory as the largest kernels do. */
export const hasAmpleMemory = ({ workgroupMemory = AMPLE_MEMORY }: Pick<KernelTarget, "workgroupMemory">) =>
  workgroupMemory >= AMPLE_MEMORY;

/** Whether programs for this target use matrix units at all. */
export function usesMatrixUnits({ matrixUnits, precision }: Pick<KernelTarget, "matrixUnits" | "precision">): boolean {
  return matrixUnits && precision === "mixed";
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

/** Whether a GRU cell with as many inputs as its state is wide can be computed by the kernels of gru-cell.ts. */
export function fitsGruUnits(
  { rows, inputs, width }: { rows: number; inputs: number; width: number },
  target: KernelTarget,
): boolean {
  const fits = inputs === width && (width === 64 || width === 128) && rows % CELL_ROWS === 0;
  return usesMatrixUnits(target) && fits;
}
