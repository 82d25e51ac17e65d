// Products of many experts for the kernels that read vectors; grouped-matmul.ts says what they are.

import type { KernelSource, KernelTarget } from "../kernel";
import { matrixKernels } from "./kernels-of-target";
import type { GatePart, MatrixProduct, Size } from "./matmul-product";
import { type VectorTile, vectorMatmul, vectorTile } from "./matmul-vector";
import { large, type MatrixTile, productFits, STEP, usesMatrixUnits } from "./matrix-shape";
import { NONE } from "./none";

/** Rows of a tile on matrix units; every expert's first row is a multiple of them. */
export const MATRIX_ROW_TILE = large.rows;
const narrow: MatrixTile = { ...large, columns: 64 };

/** Tiles of 128 x 128 that keep a large device busy however unevenly rows are spread over experts. */
const MANY_TILES = 512;

/** y[p,:] = W_e x or y[p,:] = W_e^T x, for the expert e of row p. */
export interface GroupedLayout {
  /** "forward": a is [rows, in], y [rows, out]. "backward": a is [rows, out], y [rows, in]. */
  direction: "forward" | "backward";
  /** a and weight are packed by `packHalves`; only where `groupedTakesHalves` says so. */
  halves?: boolean;
}

/** How the operands of a weight gradient come. */
export interface GradientOperands {
  /** a and dy are packed by `packHalves`; only where `groupedTakesHalves` says so. */
  halves?: boolean;
}

interface Sizes {
  rows: number;
  out: number;
  in: number;
  experts: number;
}

/** y = a W_e^T (forward) or a W_e (backward), as `groupedMatmul`; nothing where the sizes do not fit. */
export function groupedRowProduct(
  { rows, out, in: inner }: Sizes,
  target: KernelTarget,
  { direction, halves = false }: GroupedLayout,
  {
    gather,
    rowTile,
    resultHalves,
    gate,
  }: { gather: boolean; rowTile: number; resultHalves?: boolean; gate?: GatePart },
): KernelSource | undefined {
  const forward = direction === "forward";
  const { rowOf, ...finish } = gate ?? {};
  const [outs, ins]: [Size, Size] = [
    { value: out, wgsl: `${out}u` },
    { value: inner, wgsl: `${inner}u` },
  ];
  const [n, k] = forward ? [outs, ins] : [ins, outs];
  const m: Size = { value: rows, wgsl: "sizes.rows" };
  const product: MatrixProduct = {
    m,
    n,
    result: "y",
    resultHalves,
    a: {
      buffer: "a",
      halves,
      alongSum: true,
      rowLength: k,
      extent: m,
      start: "0u",
      ...(gather && { gather: { buffer: "rowToken", first: "0u" } }),
    },
    b: { buffer: "weight", halves, alongSum: forward, rowLength: ins, extent: n, start: "startB", rowOf },
    products: 1,
    depth: k,
    endsInStep: k.value % STEP !== 0,
    setup: `let expert = tileExpert[firstRow / ${rowTile}u];
  if (expert == ${NONE}) { return; }
  let startB = expert * sizes.out * sizes.in;`,
    startC: "0u",
    ...finish,
  };
  return source(product, { m: rows, n: n.value, k: k.value }, { transposeA: false, transposeB: forward }, target);
}

/** dweight[e] = the sum of dy^T a over the rows of e, in parts as `groupedWeightGradient`; nothing where the sizes do not fit. */
export function groupedGradientProduct(
  { rows, out, in: inner, experts, spares }: Sizes & { spares: number },
  target: KernelTarget,
  { halves = false }: GradientOperands = {},
  { gather }: { gather: boolean },
): KernelSource | undefined {
  const [m, n]: [Size, Size] = [
    { value: out, wgsl: `${out}u` },
    { value: inner, wgsl: `${inner}u` },
  ];
  const product: MatrixProduct = {
    m,
    n,
    result: "dweight",
    a: { buffer: "dy", halves, alongSum: false, rowLength: m, extent: m, start: "part.x * sizes.out" },
    b: {
      buffer: "a",
      halves,
      alongSum: false,
      rowLength: n,
      extent: n,
      start: gather ? "0u" : "part.x * sizes.in",
      ...(gather && { gather: { buffer: "rowToken", first: "part.x" } }),
    },
    products: experts + spares,
    // Rows are padded to whole tiles, and dy is zero in the padding.
    depth: { value: rows, wgsl: "part.y" },
    depthVaries: true,
    setup: `let part = parts[product];${spares === 0 ? "" : `\n  if (part.z == ${NONE}) { return; }`}`,
    startC: `select(part.w, part.z, part.w == ${NONE}) * sizes.out * sizes.in`,
    ...(spares > 0 && { spare: { buffer: "spare", when: `part.w != ${NONE}` } }),
  };
  // Few large tiles wait for the expert with the most rows; with gathered rows large ones gain nothing.
  const inLarge = !gather && Math.ceil(out / 128) * Math.ceil(inner / 128) * experts >= MANY_TILES;
  const layout = { transposeA: true, transposeB: false };
  // Where half of the last tile's columns would be empty narrow ones are faster, elsewhere slower.
  const tile = Math.ceil(inner / narrow.columns) % 2 === 1 ? narrow : large;
  return source(product, { m: out, n: inner, k: rows }, layout, target, { largest: inLarge ? 128 : 64, tile });
}

function source(
  product: MatrixProduct,
  sizes: { m: number; n: number; k: number },
  layout: { transposeA: boolean; transposeB: boolean },
  target: KernelTarget,
  { largest = 64, tile: onMatrixUnits = large }: { largest?: VectorTile; tile?: MatrixTile } = {},
): KernelSource | undefined {
  if (usesMatrixUnits(target) && productFits(sizes, layout))
    return matrixKernels().matmul.matrixMatmul(product, onMatrixUnits);
  const tile = vectorTile(sizes, layout, product.products, target);
  return tile ? vectorMatmul(product, tile > largest ? largest : tile, target) : undefined;
}
