// The body of every matrix product, c = a b, in two classes. What the operands are is said by a few WGSL functions that a
// kernel brings along (`MatmulParts`), so plain, batched, gathered and grouped products share the same loops.
//
//   serial   one invocation computes a block of 8 rows x 4 columns, alone: no barrier, no workgroup memory.
//   tiled    a workgroup of 16 x 16 invocations computes a tile of 64 x 64; per step of 16 along k it copies a 64 x 16
//            piece of a and a 16 x 64 piece of b to workgroup memory, stored k-major, and each invocation multiplies
//            4 rows by 4 columns out of them.
//
//              n ->                      one invocation's 4 x 4:
//        +----+----+----+                  rows    y * 4 .. y * 4 + 3     (y = lane / 16)
//     m  | 64 | 64 | .. |                  columns x * 4 .. x * 4 + 3     (x = lane % 16)
//     |  +----+----+----+

import type { KernelSource } from "../kernel";

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
  /** Consecutive lanes copy a along its rows rather than along k: for an operand stored [k, m]. */
  aIsColumnMajor: boolean;
  /** The same for b: along k rather than along n, for an operand stored [n, k]. */
  bIsColumnMajor: boolean;
}

/** Rows of a tile on each class; the row tiles of grouped products are of this size. */
export const SERIAL_ROWS = 8;
export const TILE = 64;
const SERIAL_COLUMNS = 4;
const DEPTH = 16;

const each = (count: number, write: (index: number) => string) =>
  Array.from({ length: count }, (_, i) => write(i)).join("\n");

/** `batch` products of at most m x n each, one invocation a block. */
export function serialMatmul(parts: MatmulParts, batch: number, m: number, n: number): KernelSource {
  const rowBlocks = Math.ceil(m / SERIAL_ROWS);
  const columnBlocks = Math.ceil(n / SERIAL_COLUMNS);
  return {
    form: "items",
    items: batch * rowBlocks * columnBlocks,
    wgsl: `
${parts.functions}
fn run(item: u32) {
  let columnBlocks = (${parts.n} + ${SERIAL_COLUMNS - 1}u) / ${SERIAL_COLUMNS}u;
  let rowBlocks = (${parts.m} + ${SERIAL_ROWS - 1}u) / ${SERIAL_ROWS}u;
  let product = item / (columnBlocks * rowBlocks);
  let firstRow = ((item / columnBlocks) % rowBlocks) * ${SERIAL_ROWS}u;
  let firstColumn = (item % columnBlocks) * ${SERIAL_COLUMNS}u;
  ${parts.setup}
  let columns = min(firstColumn + vec4u(0u, 1u, 2u, 3u), vec4u(${parts.n} - 1u));
${each(SERIAL_ROWS, (i) => `  let row${i} = min(firstRow + ${i}u, ${parts.m} - 1u);\n  var sum${i} = vec4f();`)}
  for (var k = 0u; k < ${parts.depth}; k++) {
    let b = vectorB(k, columns);
${each(SERIAL_ROWS, (i) => `    sum${i} = fma(vec4f(elementA(row${i}, k)), b, sum${i});`)}
  }
${each(SERIAL_ROWS, (i) => `  if (firstRow + ${i}u < ${parts.m}) { storeRow(row${i}, firstColumn, sum${i}); }`)}
}
fn storeRow(row: u32, column: u32, values: vec4f) {
${each(SERIAL_COLUMNS, (j) => `  if (column + ${j}u < ${parts.n}) { store(row, column + ${j}u, values[${j}]); }`)}
}`,
  };
}

/** `batch` products of at most m x n each, one workgroup a tile. */
export function tiledMatmul(parts: MatmulParts, batch: number, m: number, n: number): KernelSource {
  const copies = (TILE * DEPTH) / 256;
  const alongK = (i: number) => `(lane + ${i * 256}u) / ${DEPTH}u; let k = (lane + ${i * 256}u) % ${DEPTH}u;`;
  const alongTile = (i: number) => `(lane + ${i * 256}u) % ${TILE}u; let k = (lane + ${i * 256}u) / ${TILE}u;`;
  const copyA = (i: number) => `    {
      let r = ${parts.aIsColumnMajor ? alongTile(i) : alongK(i)}
      var value = 0.0;
      if (firstRow + r < ${parts.m} && start + k < depth) { value = elementA(firstRow + r, start + k); }
      tileA[k * ${TILE}u + r] = value;
    }`;
  const copyB = (i: number) => `    {
      let c = ${parts.bIsColumnMajor ? alongK(i) : alongTile(i)}
      var value = 0.0;
      if (firstColumn + c < ${parts.n} && start + k < depth) { value = vectorB(start + k, vec4u(firstColumn + c)).x; }
      tileB[k * ${TILE}u + c] = value;
    }`;
  return {
    form: "groups",
    groups: [Math.ceil(n / TILE), Math.ceil(m / TILE), batch],
    workgroup: 256,
    wgsl: `
var<workgroup> tileA: array<f32, ${TILE * DEPTH}>;
var<workgroup> tileB: array<f32, ${TILE * DEPTH}>;
${parts.functions}
fn run(group: vec3u, lane: u32) {
  let product = group.z;
  let firstRow = group.y * ${TILE}u;
  let firstColumn = group.x * ${TILE}u;
  ${parts.setup}
  let depth = ${parts.depth};
  let x = (lane % 16u) * 4u;
  let y = (lane / 16u) * 4u;
${each(4, (i) => `  var sum${i} = vec4f();`)}
  for (var start = 0u; start < depth; start += ${DEPTH}u) {
${each(copies, copyA)}
${each(copies, copyB)}
    workgroupBarrier();
    for (var k = 0u; k < ${DEPTH}u; k++) {
      let at = k * ${TILE}u;
      let b = vec4f(tileB[at + x], tileB[at + x + 1u], tileB[at + x + 2u], tileB[at + x + 3u]);
${each(4, (i) => `      sum${i} = fma(vec4f(tileA[at + y + ${i}u]), b, sum${i});`)}
    }
    workgroupBarrier();
  }
${each(4, (i) => `  if (firstRow + y + ${i}u < ${parts.m}) { storeRow(firstRow + y + ${i}u, firstColumn + x, sum${i}); }`)}
}
fn storeRow(row: u32, column: u32, values: vec4f) {
${each(4, (j) => `  if (column + ${j}u < ${parts.n}) { store(row, column + ${j}u, values[${j}]); }`)}
}`,
  };
}
