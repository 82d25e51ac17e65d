// Matrix products of many experts in one dispatch. Rows are sorted by expert and every expert's rows start on a multiple of
// the row tile, so each tile of rows meets one weight matrix:
//
//   rows  | expert 0 . . | expert 0 .  pad | expert 2 . . | (past the end) |
//   tile        0               1                2               3
//   tileExpert  0               0                2             none
//
// Tiles past the end leave at once. Rows of padding are computed like any other: finite numbers that nobody reads, or that meet
// zeros in the gradients. Weights are [E, out, in].

import { type Binding, type KernelTarget, kernel } from "../kernel";
import {
  type GradientOperands,
  type GroupedLayout,
  groupedGradientProduct,
  groupedRowProduct,
  MATRIX_ROW_TILE,
} from "./grouped-matmul-product";
import { serialKernels } from "./kernels-of-target";
import type { MatmulParts } from "./matmul-parts";
import { isHalves } from "./matmul-product";
import { groupedTile, tiledMatmul } from "./matmul-tiled";
import { UNIT, usesMatrixUnits } from "./matrix-shape";
import { NONE } from "./none";

/** Rows of a tile: each expert's rows start on a multiple of it. */
export function rowTile(target: KernelTarget): number {
  if (usesMatrixUnits(target)) return MATRIX_ROW_TILE;
  return target.kernelClass === "serial" ? serialKernels().matmul.SERIAL_ROWS : groupedTile.size;
}

/**
 * Floating-point operations from which on operands are rounded once. Fewer than for other products: the kernels beside these round
 * what they compute as they write it.
 */
const HALVES_PAY = 5e8;

/** Whether the three products of a grouped linear map should be given their operands packed by `packHalves`. */
export function groupedTakesHalves(sizes: Record<keyof typeof rowSizes, number>, target: KernelTarget): boolean {
  const { rows, out, in: inner } = sizes;
  return usesMatrixUnits(target) && out % UNIT === 0 && inner % UNIT === 0 && 2 * rows * out * inner >= HALVES_PAY;
}

const rowSizes = { rows: "u32", out: "u32", in: "u32", experts: "u32" } as const;

/** y[p,:] = a[p,:] W_e^T (forward) or a[p,:] W_e (backward) for each padded row p of expert e. */
export const groupedMatmul = rowProducts("groupedMatmul", {}, "return row;");

/** As `groupedMatmul` with a[rowToken[p],:] for row p of a. */
export const groupedMatmulGather = rowProducts(
  "groupedMatmulGather",
  { rowToken: "read u32" },
  "return rowToken[row];",
);

function rowProducts<const Extra extends Record<string, Binding>>(name: string, extra: Extra, rowOfA: string) {
  type Names = "a" | "weight" | "tileExpert" | "y" | (keyof Extra & string);
  const buffers = { a: "read", weight: "read", tileExpert: "read u32", ...extra, y: "write" };
  return kernel<Names, keyof typeof rowSizes, GroupedLayout>({
    name,
    buffers: buffers as unknown as Record<Names, Binding>,
    sizes: rowSizes,
    flops: ({ rows, out, in: inner }) => 2 * rows * out * inner,
    source: (sizes, target, layout, rounded) => {
      const { direction } = layout;
      const { rows, out, in: inner } = sizes;
      const gather = "rowToken" in extra;
      const byVectors = groupedRowProduct(sizes, target, layout, {
        gather,
        rowTile: rowTile(target),
        resultHalves: isHalves(rounded, "y"),
      });
      if (byVectors) return byVectors;
      const n = direction === "forward" ? out : inner;
      const at = direction === "forward" ? "columns * sizes.in + k" : "k * sizes.in + columns";
      const parts: MatmulParts = {
        functions: `
var<private> startOfWeight: u32;
fn rowOfA(row: u32) -> u32 { ${rowOfA} }
fn elementA(row: u32, k: u32) -> f32 { return a[rowOfA(row) * ${direction === "forward" ? "sizes.in" : "sizes.out"} + k]; }
fn vectorB(k: u32, columns: vec4u) -> vec4f {
  let at = startOfWeight + ${at};
  return vec4f(weight[at.x], weight[at.y], weight[at.z], weight[at.w]);
}
fn store(row: u32, column: u32, value: f32) { y[row * ${direction === "forward" ? "sizes.out" : "sizes.in"} + column] = value; }
${target.kernelClass === "serial" ? "" : "var<workgroup> sharedExpert: u32;"}`,
        setup: `${readUniformly(target, "expert", "sharedExpert", `tileExpert[firstRow / ${rowTile(target)}u]`)}
  if (expert == ${NONE}) { return; }
  startOfWeight = expert * sizes.out * sizes.in;`,
        m: "sizes.rows",
        n: direction === "forward" ? "sizes.out" : "sizes.in",
        depth: direction === "forward" ? "sizes.in" : "sizes.out",
        knownDepth: direction === "forward" ? inner : out,
        aIsColumnMajor: false,
        bIsColumnMajor: direction === "forward",
      };
      return target.kernelClass === "serial"
        ? serialKernels().matmul.serialMatmul(parts, 1, rows, n)
        : tiledMatmul(parts, 1, rows, n, groupedTile);
    },
  });
}

const gradientSizes = { ...rowSizes, spares: "u32" } as const;

/**
 * dweight[e] = sum over the rows p of the last part of expert e of dy[p,:]^T a[p,:], zeros for an expert without rows; spare[s] =
 * the same over another part, as `expertScan` lists them. dy is zero in padding.
 */
export const groupedWeightGradient = weightGradient("groupedWeightGradient", {}, "return p;");

/** As `groupedWeightGradient` with a[rowToken[p],:] for a[p,:]. */
export const groupedWeightGradientGather = weightGradient(
  "groupedWeightGradientGather",
  { rowToken: "read u32" },
  "return rowToken[p];",
);

function weightGradient<const Extra extends Record<string, Binding>>(name: string, extra: Extra, rowOfA: string) {
  type Names = "a" | "dy" | "parts" | "dweight" | "spare" | (keyof Extra & string);
  const buffers = { a: "read", dy: "read", parts: "read u32", ...extra, dweight: "write", spare: "write" };
  return kernel<Names, keyof typeof gradientSizes, GradientOperands>({
    name,
    buffers: buffers as unknown as Record<Names, Binding>,
    sizes: gradientSizes,
    flops: ({ rows, out, in: inner }) => 2 * rows * out * inner,
    source: (sizes, target, operands) => {
      const byVectors = groupedGradientProduct(sizes, target, operands, { gather: "rowToken" in extra });
      const source = byVectors ?? partProducts(sizes, target, rowOfA);
      return { ...source, vectors: { ...source.vectors, parts: "vec4u" } };
    },
  });
}

/** The products of all parts, of any sizes. */
function partProducts(sizes: Record<keyof typeof gradientSizes, number>, target: KernelTarget, rowOfA: string) {
  const { out, in: inner, experts, spares } = sizes;
  const serial = target.kernelClass === "serial";
  const parts: MatmulParts = {
    functions: `
var<private> part: vec4u;
fn rowOfA(p: u32) -> u32 { ${rowOfA} }
fn elementA(row: u32, k: u32) -> f32 { return dy[(part.x + k) * sizes.out + row]; }
fn vectorB(k: u32, columns: vec4u) -> vec4f {
  let at = rowOfA(part.x + k) * sizes.in + columns;
  return vec4f(a[at.x], a[at.y], a[at.z], a[at.w]);
}
fn store(row: u32, column: u32, value: f32) {
  let at = row * sizes.in + column;
  if (part.w == ${NONE}) { dweight[part.z * sizes.out * sizes.in + at] = value; }
  else { spare[part.w * sizes.out * sizes.in + at] = value; }
}
${serial ? "" : "var<workgroup> sharedExpert: u32;\nvar<workgroup> sharedCount: u32;"}`,
    setup: `
  part = parts[product];
${readUniformly(target, "expert", "sharedExpert", "part.z")}
  if (expert == ${NONE}) { return; }
${readUniformly(target, "rowCount", "sharedCount", "part.y")}`,
    m: "sizes.out",
    n: "sizes.in",
    depth: "rowCount",
    aIsColumnMajor: true,
    bIsColumnMajor: false,
  };
  const products = experts + spares;
  return serial
    ? serialKernels().matmul.serialMatmul(parts, products, out, inner)
    : tiledMatmul(parts, products, out, inner);
}

/** `let name = value;`, the same in all of a workgroup as far as the compiler can tell, so that barriers may follow. */
function readUniformly({ kernelClass }: KernelTarget, name: string, shared: string, value: string): string {
  if (kernelClass === "serial") return `  let ${name} = ${value};`;
  return `  if (lane == 0u) { ${shared} = ${value}; }\n  let ${name} = workgroupUniformLoad(&${shared});`;
}
