// Every matrix product, c = a b, has one of two bodies: matmul-serial.ts and matmul-tiled.ts. What the operands are is said
// by a few WGSL functions that a kernel brings along, so plain, batched, gathered and grouped products share the loops.

import type { MatrixProduct } from "./matmul-product";

/** WGSL that tells a product what its operands are. */
export interface MatmulParts {
  /**
   * `fn elementA(row: u32, k: u32) -> f32`, `fn vectorB(k: u32, columns: vec4u) -> vec4f` and
   * `fn store(row: u32, column: u32, value: f32)`; called with row < m, columns < n, k < depth alone.
   */
  functions: string;
  /**
   * Statements at the start, in terms of `product` (which of the batch) and `firstRow` (of the tile), that set private
   * variables of `functions` and may leave. On the tiled class they must be uniform in a workgroup.
   */
  setup: string;
  /** Expressions for the number of rows, of columns, and the length of the sum. */
  m: string;
  n: string;
  depth: string;
  /** The length of the sum where it is known before the kernel runs. */
  knownDepth?: number;
  /** Consecutive lanes copy a along its rows rather than along k: for an operand stored [k, m]. */
  aIsColumnMajor: boolean;
  /** The same for b: along k rather than along n, for an operand stored [n, k]. */
  bIsColumnMajor: boolean;
}

/** One line of text for each index below `count`. */
export function each(count: number, write: (index: number) => string): string {
  return Array.from({ length: count }, (_, i) => write(i)).join("\n");
}

/** A function that stores four neighbouring columns of a row, those that exist. */
export function storeRow({ n }: MatmulParts): string {
  return `
fn storeRow(row: u32, column: u32, values: vec4f) {
${each(4, (j) => `  if (column + ${j}u < ${n}) { store(row, column + ${j}u, values[${j}]); }`)}
}`;
}

/** WGSL that gives element `at` of c its value. */
export function storeResult(
  { result, base, spare }: Pick<MatrixProduct, "result" | "base" | "spare">,
  at: string,
  value: string,
): string {
  const own = `${result}[${at}] = ${base === undefined ? "" : `${base}[${at}] + `}${value};`;
  return spare === undefined ? own : `if (${spare.when}) { ${spare.buffer}[${at}] = ${value}; } else { ${own} }`;
}

/** `vectors` of a kernel's source: c, what it is added to and what stands in for it as rows of one type. */
export function resultVectors(
  { result, base, spare }: MatrixProduct,
  type: "vec4f" | "mat2x4f",
): Record<string, string> {
  const names = [result, base, spare?.buffer].filter((name) => name !== undefined);
  return Object.fromEntries(names.map((name) => [name, type]));
}
