// The product on software adapters: one invocation computes a block of 8 rows x 4 columns, alone, without a barrier or
// workgroup memory. Consecutive invocations hold consecutive blocks of columns, so that the adapter's vector lanes, one an
// invocation, read the same rows of a and neighbouring columns of b. Larger blocks are up to 1.4 times as fast but take
// several times as long to compile.
//
//              n ->   item 0   item 1   item 2
//        rows 0 .. 7  | 8x4  |  8x4  |  8x4  | ..
//        rows 8 .. 15 | 8x4  |  ..

import type { KernelSource } from "../kernel";
import { each, type MatmulParts, storeRow } from "./matmul-parts";

/** Rows of a block; the row tiles of grouped products are of this size. */
export const SERIAL_ROWS = 8;
const COLUMNS = 4;

/** `batch` products of at most m x n each, one invocation a block. */
export function serialMatmul(parts: MatmulParts, batch: number, m: number, n: number): KernelSource {
  return {
    form: "items",
    items: batch * Math.ceil(m / SERIAL_ROWS) * Math.ceil(n / COLUMNS),
    wgsl: `
${parts.functions}
fn run(item: u32) {
  let columnBlocks = (${parts.n} + ${COLUMNS - 1}u) / ${COLUMNS}u;
  let rowBlocks = (${parts.m} + ${SERIAL_ROWS - 1}u) / ${SERIAL_ROWS}u;
  let product = item / (columnBlocks * rowBlocks);
  let firstRow = ((item / columnBlocks) % rowBlocks) * ${SERIAL_ROWS}u;
  let firstColumn = (item % columnBlocks) * ${COLUMNS}u;
  ${parts.setup}
  let columns = min(firstColumn + vec4u(0u, 1u, 2u, 3u), vec4u(${parts.n} - 1u));
${each(SERIAL_ROWS, (i) => `  let row${i} = min(firstRow + ${i}u, ${parts.m} - 1u);\n  var sum${i} = vec4f();`)}
  for (var k = 0u; k < ${parts.depth}; k++) {
    let b = vectorB(k, columns);
${each(SERIAL_ROWS, (i) => `    sum${i} = fma(vec4f(elementA(row${i}, k)), b, sum${i});`)}
  }
${each(SERIAL_ROWS, (i) => `  if (firstRow + ${i}u < ${parts.m}) { storeRow(row${i}, firstColumn, sum${i}); }`)}
}
${storeRow(parts)}`,
  };
}
