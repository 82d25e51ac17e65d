// Sums down the columns of a matrix, chunk of rows by chunk of rows, of any terms of its elements. On the "tiled" class a
// workgroup has a strip of columns: some lanes side by side along the rows, the others each with every so many rows of the
// chunk, whose sums are then added in a fixed order. On the "serial" class an invocation walks a column of a chunk alone.

import type { KernelSource, KernelTarget } from "../kernel";
import { wide } from "./wide";

/** What is summed. */
export interface ColumnSums {
  rows: number;
  cols: number;
  chunks: number;
  /** WGSL for each term of row `r` at element `at` of a matrix, `row * cols + column`, in the width that `buffers` have. */
  terms: string[];
  /** The matrices, and the result [chunks, terms, cols]. */
  buffers: string[];
  result: string;
}

const WORKGROUP = 256;

/** Rows to sum in how many chunks, so that there is work for a whole device and not much left for a second stage. */
export function columnSumChunks({ rows, cols }: { rows: number; cols: number }, target: KernelTarget): number {
  if (target.kernelClass === "serial") return rows <= 64 ? 1 : Math.ceil(Math.sqrt(rows / 4));
  const { strips, lanesDown } = strip(cols, wide(target, cols, []).lanes);
  // Up to 32 rows a lane take less time than a second stage does to start.
  if (rows <= 32 * lanesDown) return 1;
  // A chunk gives each lane at least four rows, 512 workgroups fill a device, and one workgroup can sum all chunks.
  return Math.max(1, Math.min(Math.floor(rows / (4 * lanesDown)), Math.ceil(512 / strips), 32 * lanesDown));
}

/** Chunks are of ceil(rows / chunks) rows, the last ones of fewer or none. */
export function columnSums(
  { rows, cols, chunks, terms, buffers, result }: ColumnSums,
  target: KernelTarget,
): KernelSource {
  const length = Math.ceil(rows / chunks);
  const each = (line: (term: string, index: number) => string) => terms.map(line).join(" ");
  if (target.kernelClass === "serial") {
    return {
      form: "items",
      items: chunks * cols,
      wgsl: /* wgsl */ `
fn run(i: u32) {
  let c = i % sizes.cols;
  let chunk = i / sizes.cols;
  let length = (sizes.rows + sizes.chunks - 1u) / sizes.chunks;
  let start = chunk * length;
  let end = min(start + length, sizes.rows);
  ${each((_, index) => `var total${index} = 0.0;`)}
  for (var r = start; r < end; r++) {
    let at = r * sizes.cols + c;
    ${each((term, index) => `total${index} += ${term};`)}
  }
  ${each((_, index) => `${result}[(chunk * ${terms.length}u + ${index}u) * sizes.cols + c] = total${index};`)}
}`,
    };
  }
  const { lanes, alias, vectors } = wide(target, cols, [...buffers, result]);
  const { strips, lanesAcross, lanesDown } = strip(cols, lanes);
  return {
    form: "groups",
    groups: [strips, chunks, 1],
    workgroup: WORKGROUP,
    vectors,
    wgsl: /* wgsl */ `${alias}
var<workgroup> sums: array<Wide, ${WORKGROUP * terms.length}>;
fn run(group: vec3u, lane: u32) {
  let column = group.x * ${lanesAcross}u + lane % ${lanesAcross}u;
  let down = lane / ${lanesAcross}u;
  let end = min(group.y * ${length}u + ${length}u, ${rows}u);
  ${each((_, index) => `var total${index} = Wide();`)}
  if (column < ${cols / lanes}u) {
    for (var r = group.y * ${length}u + down; r < end; r += ${lanesDown}u) {
      let at = r * ${cols / lanes}u + column;
      ${each((term, index) => `total${index} += ${term};`)}
    }
  }
  ${each((_, index) => `sums[${index * WORKGROUP}u + lane] = total${index};`)}
  for (var half = ${lanesDown >> 1}u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (down < half) {
      ${each((_, index) => `sums[${index * WORKGROUP}u + lane] += sums[${index * WORKGROUP}u + lane + half * ${lanesAcross}u];`)}
    }
  }
  if (down == 0u && column < ${cols / lanes}u) {
    ${each((_, index) => `${result}[(group.y * ${terms.length}u + ${index}u) * ${cols / lanes}u + column] = sums[${index * WORKGROUP}u + lane];`)}
  }
}`,
  };
}

/** How the lanes of a workgroup spread over a strip of columns, and the strips of a row. */
function strip(cols: number, lanes: number) {
  const columns = cols / lanes;
  let lanesAcross = 1;
  while (lanesAcross < columns && lanesAcross < 32) lanesAcross *= 2;
  return { strips: Math.ceil(columns / lanesAcross), lanesAcross, lanesDown: WORKGROUP / lanesAcross };
}
