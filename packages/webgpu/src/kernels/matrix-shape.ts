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

const large: MatrixTile = { rows: 128, columns: 128, subgroupRows: 2, subgroupColumns: 2, step: STEP, stages: 1 };
// For products of few tiles, where the way from memory takes longer than the multiplications: it is gone half as often.
const small: MatrixTile = { rows: 64, columns: 64, subgroupRows: 2, subgroupColumns: 2, step: 2 * STEP, stages: 1 };
// These two have a multiprocessor to themselves, where two large tiles run side by side, and take so much of its memory.
const ROOM = 40960;
const wide: MatrixTile = { rows: 128, columns: 256, subgroupRows: 2, subgroupColumns: 4, step: FRAGMENT, stages: 2 };
const medium: MatrixTile = { rows: 128, columns: 192, subgroupRows: 2, subgroupColumns: 4, step: STEP, stages: 1 };
// For weight gradients: operands that lie across the sum need few enough registers for a second stage.
const staged: MatrixTile = { ...large, step: FRAGMENT, stages: 2 };

/** Multiprocessors of a large device, which decide about tiles, never about results; tiles of one product that are enough for it. */
export const DEVICE = 132;
const ENOUGH = 128;

/** Shares of a device's rounds: what tiles must fill to be chosen before large ones, and what large ones leave too empty. */
const [FULL, SPARSE] = [0.9, 0.8];

/** Sums from which on a shader of their own pays, and up to which it does where results are f32. */
const [SHORT, LONG] = [512, 1024];

/** What decides about the tiles of a product, besides its sizes. */
export interface ProductForm {
  transposeA: boolean;
  transposeB: boolean;
  /** Operands are f16 already; the result is rounded to it alone. */
  halves: boolean;
  resultHalves: boolean;
  /** Whether all of the products sum over as many terms. */
  whole: boolean;
  /** Bytes of workgroup memory that a workgroup may take. */
  memory: number;
}

/** Tiles that should compute products of these sizes in the least time, by measurement on an H100. */
export function matrixTile(
  { m, n, k }: { m: number; n: number; k: number },
  { transposeA, transposeB, halves, resultHalves, whole, memory }: ProductForm,
  products: number,
): MatrixTile {
  const tilesOf = ({ rows, columns }: MatrixTile) => Math.ceil(m / rows) * Math.ceil(n / columns) * products;
  const filled = (tile: MatrixTile, atOnce: number) => {
    const rounds = tilesOf(tile) / atOnce;
    return rounds / Math.ceil(rounds);
  };
  if (tilesOf(large) < (products === 1 ? ENOUGH : DEVICE)) return small;
  // Operands of f32 leave no registers for more.
  if (!halves) return large;
  // Two stages take two steps a round.
  const fitsStages = whole && k % (2 * FRAGMENT) === 0;
  if (transposeA) return fitsStages && products === 1 && tilesOf(large) > 2 * DEVICE ? staged : large;
  if (memory < ROOM) return large;
  const fills = (tile: MatrixTile) => n % tile.columns === 0 && filled(tile, DEVICE) > FULL;
  if (!transposeB && fills(medium) && filled(large, 2 * DEVICE) < SPARSE) return medium;
  const pays = k >= SHORT && (resultHalves || (!transposeB && k <= LONG));
  return fitsStages && pays && fills(wide) ? wide : large;
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
  { matrixUnits, precision }: KernelTarget,
): boolean {
  const fits = inputs === width && (width === 64 || width === 128) && rows % CELL_ROWS === 0;
  return matrixUnits && precision === "mixed" && fits;
}
