// A stable counting sort of assignments by expert, with sizes of the worst case and no atomics: the order never depends on
// timing. Assignments are counted in chunks:
//
//   count    per chunk and expert: how many; per assignment: how many of the same expert came before it in its chunk
//   scan     per expert: where each chunk's share begins, how many in all; where the expert's padded rows begin
//   place    assignment -> padded row, and back

import { type KernelSource, type KernelTarget, kernel } from "../kernel";
import { COUNT_CHUNK } from "./count-chunk";
import { partSizes } from "./expert-parts";
import { rowTile } from "./grouped-matmul";
import { cutPartList, serialKernels } from "./kernels-of-target";
import { NONE } from "./none";

/** The sizes of sorting `assignments` among `experts`: rows are padded, for each expert, to whole tiles, and cut into parts for products of `width` elements each. */
export function expertSortSizes(assignments: number, experts: number, target: KernelTarget, width = Infinity) {
  const tile = rowTile(target);
  const tiles = Math.max(1, Math.floor((assignments + experts * (tile - 1)) / tile));
  const chunks = Math.ceil(assignments / COUNT_CHUNK);
  const parts = partSizes({ assignments, experts, tile, width }, target);
  return { assignments, experts, chunks, tiles, rows: tiles * tile, tile, ...parts };
}

/** counts[c,e] = assignments of expert e in chunk c; rank[a] = earlier assignments of its chunk with its expert */
export const expertCount = kernel({
  name: "expertCount",
  buffers: { expert: "read u32", counts: "write u32", rank: "write u32" },
  sizes: { assignments: "u32", experts: "u32", chunks: "u32" },
  source: ({ chunks, experts }) => ({
    form: "items",
    items: chunks * experts,
    wgsl: /* wgsl */ `
fn run(i: u32) {
  let chunk = i / sizes.experts;
  let mine = i % sizes.experts;
  let end = min((chunk + 1u) * ${COUNT_CHUNK}u, sizes.assignments);
  var count = 0u;
  for (var a = chunk * ${COUNT_CHUNK}u; a < end; a++) {
    if (expert[a] == mine) { rank[a] = count; count++; }
  }
  counts[i] = count;
}`,
  }),
});

/**
 * counts[c,e] becomes the padded row of e's first assignment in chunk c; parts[i] = (first padded row, rows, expert, spare sum or
 * none), longest first, as expert-parts.ts says; tileExpert[t] = expert of a tile of rows, or none; tileRows[t] = rows of it that
 * are not padding; load[e] = rows as a float
 */
export const expertScan = kernel({
  name: "expertScan",
  buffers: {
    counts: "update u32",
    parts: "write u32",
    tileExpert: "write u32",
    tileRows: "write u32",
    load: "write",
  },
  sizes: { experts: "u32", chunks: "u32", tiles: "u32", tile: "u32", most: "u32", spares: "u32" },
  source: (sizes, { kernelClass }) =>
    kernelClass === "tiled" ? scanTogether(sizes) : serialKernels().sort.expertScan(listParts(sizes.spares)),
});

/**
 * WGSL of `listParts(e, start)`, which writes the parts of expert e, whose rows begin at `start`, to their places in the list.
 * `rowsOf(e)` gives the rows of an expert.
 */
function listParts(spares: number): string {
  if (spares > 0) return cutPartList().listCut;
  return `fn listParts(e: u32, start: u32) { parts[e] = vec4u(start, rowsOf(e), e, ${NONE}); }`;
}

/** One workgroup: its lanes share the experts, and the chunks of an expert where there are lanes left. */
function scanTogether({
  experts,
  chunks,
  tiles,
  tile,
  spares,
}: Record<"experts" | "chunks" | "tiles" | "tile" | "spares", number>): KernelSource {
  const workgroup = 256;
  const across = Math.min(experts, workgroup);
  const parts = Math.floor(workgroup / across);
  const length = Math.ceil(chunks / parts);
  return {
    form: "groups",
    groups: [1, 1, 1],
    workgroup,
    vectors: { parts: "vec4u" },
    wgsl: /* wgsl */ `
var<workgroup> shares: array<u32, ${workgroup}>;
var<workgroup> totals: array<u32, ${experts}>;
fn rowsOf(e: u32) -> u32 { return totals[e]; }
${listParts(spares)}
fn run(group: vec3u, lane: u32) {
  let part = lane / ${across}u;
  let end = min(part * ${length}u + ${length}u, ${chunks}u);
  for (var base = 0u; base < ${experts}u; base += ${across}u) {
    let e = base + lane % ${across}u;
    let mine = part < ${parts}u && e < ${experts}u;
    var share = 0u;
    if (mine) { for (var c = part * ${length}u; c < end; c++) { share += counts[c * ${experts}u + e]; } }
    workgroupBarrier();
    shares[lane] = share;
    workgroupBarrier();
    if (mine) {
      var before = 0u;
      for (var p = 0u; p < part; p++) { before += shares[p * ${across}u + lane % ${across}u]; }
      for (var c = part * ${length}u; c < end; c++) {
        let count = counts[c * ${experts}u + e];
        counts[c * ${experts}u + e] = before;
        before += count;
      }
      if (part == ${parts - 1}u) { totals[e] = before; }
    }
  }
  workgroupBarrier();
  // From here on with the padding before each expert's rows.
  for (var base = 0u; base < ${experts}u; base += ${across}u) {
    let e = base + lane % ${across}u;
    if (part < ${parts}u && e < ${experts}u) {
      var first = 0u;
      for (var other = 0u; other < e; other++) { first += (totals[other] + ${tile - 1}u) / ${tile}u; }
      for (var c = part * ${length}u; c < end; c++) { counts[c * ${experts}u + e] += first * ${tile}u; }
    }
  }
  for (var i = lane; i < ${Math.max(experts, tiles)}u; i += ${workgroup}u) {
    var first = 0u;
    var start = 0u;
    var owner = ${NONE};
    var rows = 0u;
    for (var e = 0u; e < ${experts}u; e++) {
      let own = (totals[e] + ${tile - 1}u) / ${tile}u;
      if (e == i) { start = first * ${tile}u; }
      if (i >= first && i < first + own) {
        owner = e;
        rows = min(${tile}u, totals[e] - (i - first) * ${tile}u);
      }
      first += own;
    }
    if (i < ${tiles}u) { tileExpert[i] = owner; tileRows[i] = rows; }
    if (i < ${experts}u) {
      load[i] = f32(totals[i]);
      listParts(i, start);
    }
  }
}`,
  };
}

/**
 * slot[a] = padded row of assignment a, or none; source[p] = assignment of padded row p, or none; rowToken[p] = its token,
 * token 0 in padding
 */
export const expertPlace = kernel({
  name: "expertPlace",
  buffers: {
    expert: "read u32",
    token: "read u32",
    counts: "read u32",
    rank: "read u32",
    tileRows: "read u32",
    slot: "write u32",
    source: "write u32",
    rowToken: "write u32",
  },
  sizes: { assignments: "u32", experts: "u32", rows: "u32", tile: "u32" },
  source: ({ assignments, rows }) => ({
    form: "items",
    items: Math.max(assignments, rows),
    wgsl: /* wgsl */ `
fn run(i: u32) {
  if (i < sizes.assignments) {
    let e = expert[i];
    var row = ${NONE};
    if (e < sizes.experts) {
      row = counts[(i / ${COUNT_CHUNK}u) * sizes.experts + e] + rank[i];
      source[row] = i;
      rowToken[row] = token[i];
    }
    slot[i] = row;
  }
  // Rows that no assignment has: the ends of experts' last tiles, and tiles of no expert.
  if (i < sizes.rows && i % sizes.tile >= tileRows[i / sizes.tile]) {
    source[i] = ${NONE};
    rowToken[i] = 0u;
  }
}`,
  }),
});
