// A matrix product as the kernels that read vectors take it: matmul-matrix.ts on matrix units, matmul-vector.ts without.

import type { RoundedBuffers } from "../kernel";

/** A number that a kernel is told: what it is, and WGSL for it, a literal or one of `sizes`. */
export interface Size {
  value: number;
  wgsl: string;
}

/** What is multiplied: c [m, n] of every product is a sum of `depth` terms. */
export interface MatrixProduct {
  m: Size;
  n: Size;
  /** Name of c's buffer, and whether it takes c rounded to f16 alone. */
  result: string;
  resultHalves?: boolean;
  a: MatrixOperand;
  b: MatrixOperand;
  /** Products of one dispatch, the third axis of the grid. */
  products: number;
  /** Most terms that a product sums over, and WGSL for those of this one. */
  depth: Size;
  /** Whether some products sum over fewer; up to a whole step a or b must then be zero, or `endsInStep` be true. */
  depthVaries?: boolean;
  /** On matrix units, share the shader with other sizes, where `wgsl` is no literal; of the sum's length as well with "depth". */
  shared?: "shape" | "depth";
  /** Whether sums are no whole steps of matrix units, and memory holds something behind them. */
  endsInStep?: boolean;
  /** Declarations, and statements at the start in terms of `product`, `tileRow`, `firstRow`; they may leave, uniformly. */
  functions?: string;
  setup: string;
  /** WGSL for where this product's c starts, in elements. */
  startC: string;
  /** Name of the buffer whose elements the products are added to: c's own, or another laid out like it. Default: none. */
  base?: string;
  /** On matrix units, what is done to c as it is stored; where `productTurns` says so. */
  turn?: ProductTurn;
  /** What takes c in place of its buffer. On matrix units alone. */
  finish?: Finish;
  /** Products that write their c to another buffer, at the same place: its name, and WGSL for whether this product does. */
  spare?: { buffer: string; when: string };
}

/** Rotary position embedding of a product's rows [3, heads, headDim], which are those of sequences one behind the other. */
export interface ProductTurn {
  /** Tokens of a sequence. */
  context: number;
  headDim: number;
  /** WGSL of rope.ts. */
  rotation: string;
}

/** Whether a kernel is to write its result rounded to f16 alone. */
export function isHalves(rounded: RoundedBuffers | undefined, result: string): boolean {
  return rounded?.[result] === "instead";
}

/** A function of `functions` that is given c, eight neighbouring numbers of a row at a time. */
export interface Finish {
  /** Its name: `fn NAME(at: u32, numbers: mat2x4f)`, and with `pairs` one more mat2x4f. */
  call: string;
  /** Elements of the rows that `at` counts eights of. */
  rowLength: string;
  /** Whether columns come in groups of 64: the first 32 are those of `at`, the others belong to them one by one. */
  pairs?: boolean;
}

/** A product's share in the middle of gated layers: what takes its results, and which row of the weights is which column. */
export type GatePart = Pick<MatrixProduct, "functions" | "finish"> & Pick<MatrixOperand, "rowOf">;

/** An operand as it lies in memory. */
export interface MatrixOperand {
  /** Name of the buffer. */
  buffer: string;
  /** Rounded to f16 already, two to a u32 (`packHalves`): bound as `array<vec4u>`. Otherwise f32: `array<vec4f>`. */
  halves: boolean;
  /** Contiguous along the sum: a stored as [m, k], b as [n, k]; otherwise [k, m] or [k, n]. */
  alongSum: boolean;
  /** Elements of a row in memory. */
  rowLength: Size;
  /** Rows (of a) or columns (of b) that there are; past them the tile repeats the last. */
  extent: Size;
  /** WGSL for where the operand starts, in elements. */
  start: string;
  /** Where rows of the operand are read by index; by default they lie one behind the other. */
  gather?: Gather;
  /** Name of a function of `functions`: the row of memory that is row `i` of the operand. */
  rowOf?: string;
}

/** Row r of an operand is row `buffer[first + r]` in memory. */
export interface Gather {
  /** Name of a buffer of u32. */
  buffer: string;
  /** WGSL for the place of the first row's index, a multiple of four, as the number of rows is. */
  first: string;
}
