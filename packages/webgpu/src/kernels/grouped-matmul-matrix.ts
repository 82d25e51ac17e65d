// Products of many experts on matrix units; grouped-matmul.ts says what they are.

import type { KernelSource, KernelTarget } from "../kernel";
import type { GradientOperands, GroupedLayout } from "./grouped-matmul";
import { fitsMatrixUnits, type MatrixTile, matrixMatmul } from "./matmul-matrix";
import { STEP } from "./matrix-operand";

/** Rows and columns of a tile, and rows that every expert's first row is a multiple of. */
const tile: MatrixTile = { rows: 128, columns: 128, subgroupRows: 2, subgroupColumns: 2 };
export const MATRIX_ROW_TILE = tile.rows;

interface Sizes {
  rows: number;
  out: number;
  in: number;
  experts: number;
}

/** Whether programs for this target use matrix units at all. */
export function usesMatrixUnits({ matrixUnits, precision }: Pick<KernelTarget, "matrixUnits" | "precision">): boolean {
  return matrixUnits && precision === "mixed";
}

/** The token's row that stands for row `p`, where rows are gathered. */
const gathered = (p: string) => `rowToken[${p}]`;

/** y = a W_e^T (forward) or a W_e (backward), as `groupedMatmul`; nothing where the sizes do not fit. */
export function groupedMatrixProduct(
  { rows, out, in: inner }: Sizes,
  { direction, halves = false }: GroupedLayout,
  gather: boolean,
): KernelSource | undefined {
  const forward = direction === "forward";
  const [n, k] = forward ? [out, inner] : [inner, out];
  if (!fitsMatrixUnits({ m: rows, n, k }, { transposeA: false, transposeB: forward })) return undefined;
  return matrixMatmul(
    {
      m: rows,
      n,
      result: "y",
      a: {
        buffer: "a",
        halves,
        alongSum: true,
        rowLength: k,
        extent: rows,
        start: "0u",
        ...(gather && { row: gathered }),
      },
      b: { buffer: "weight", halves, alongSum: forward, rowLength: inner, extent: n, start: "startB" },
      products: 1,
      rounds: k / STEP,
      setup: `let expert = tileExpert[tileRow];
  if (expert == 0xffffffffu) { return; }
  let startB = expert * ${out * inner}u;`,
      startC: "0u",
      assign: "=",
    },
    tile,
  );
}

/** dweight[e] = the sum of dy^T a over the rows of e, as `groupedWeightGradient`; nothing where the sizes do not fit. */
export function groupedMatrixGradient(
  { rows, out, in: inner, experts }: Sizes,
  { halves = false }: GradientOperands = {},
  gather: boolean,
): KernelSource | undefined {
  const [m, n] = [out, inner];
  if (!fitsMatrixUnits({ m, n, k: rows }, { transposeA: true, transposeB: false })) return undefined;
  return matrixMatmul(
    {
      m,
      n,
      result: "dweight",
      a: { buffer: "dy", halves, alongSum: false, rowLength: out, extent: out, start: `firstP * ${out}u` },
      b: {
        buffer: "a",
        halves,
        alongSum: false,
        rowLength: inner,
        extent: inner,
        start: gather ? "0u" : `firstP * ${inner}u`,
        ...(gather && { row: (p) => gathered(`firstP + ${p}`) }),
      },
      products: experts,
      rounds: Math.ceil(rows / STEP),
      // Rows are padded to whole tiles, and dy is zero in the padding.
      roundsHere: `(segments[2u * product + 1u] + ${STEP - 1}u) / ${STEP}u`,
      setup: "let firstP = segments[2u * product];",
      startC: `product * ${(out * inner) / 4}u`,
      assign: "=",
    },
    tile,
  );
}
