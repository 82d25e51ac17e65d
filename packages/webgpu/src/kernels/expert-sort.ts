// A stable counting sort of assignments by expert, with sizes of the worst case and no atomics: the order never depends on
// timing. Assignments are counted in chunks:
//
//   count    per chunk and expert: how many; per assignment: how many of the same expert came before it in its chunk
//   scan     per expert: where each chunk's share begins, how many in all; where the expert's padded rows begin
//   scatter  assignment -> padded row, and back

import { type KernelTarget, kernel } from "../kernel";
import { rowTile } from "./grouped-matmul";

const NONE = "0xffffffffu";

/** Assignments that are counted together. */
const CHUNK = 64;

/** The sizes of sorting `assignments` among `experts`: rows are padded, for each expert, to whole tiles. */
export function expertSortSizes(assignments: number, experts: number, target: KernelTarget) {
  const tile = rowTile(target);
  const tiles = Math.max(1, Math.floor((assignments + experts * (tile - 1)) / tile));
  return { assignments, experts, chunks: Math.ceil(assignments / CHUNK), tiles, rows: tiles * tile, tile };
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
  let end = min((chunk + 1u) * ${CHUNK}u, sizes.assignments);
  var count = 0u;
  for (var a = chunk * ${CHUNK}u; a < end; a++) {
    if (expert[a] == mine) { rank[a] = count; count++; }
  }
  counts[i] = count;
}`,
  }),
});

/** counts[c,e] becomes the number of assignments of e in chunks before c; total[e] = all of them */
export const expertTotal = kernel({
  name: "expertTotal",
  buffers: { counts: "update u32", total: "write u32" },
  sizes: { experts: "u32", chunks: "u32" },
  source: ({ experts }) => ({
    form: "items",
    items: experts,
    wgsl: /* wgsl */ `
fn run(e: u32) {
  var before = 0u;
  for (var chunk = 0u; chunk < sizes.chunks; chunk++) {
    let at = chunk * sizes.experts + e;
    let count = counts[at];
    counts[at] = before;
    before += count;
  }
  total[e] = before;
}`,
  }),
});

/** segments[e] = (first padded row, rows); tileExpert[t] = expert of a tile of rows; load[e] = rows as a float */
export const expertSegments = kernel({
  name: "expertSegments",
  buffers: { total: "read u32", segments: "write u32", tileExpert: "write u32", load: "write" },
  sizes: { experts: "u32", tiles: "u32", tile: "u32" },
  source: ({ experts, tiles }) => ({
    form: "items",
    items: Math.max(experts, tiles),
    wgsl: /* wgsl */ `
fn run(i: u32) {
  var first = 0u;
  var owner = ${NONE};
  for (var e = 0u; e < sizes.experts; e++) {
    let tiles = (total[e] + sizes.tile - 1u) / sizes.tile;
    if (e == i) {
      segments[2u * e] = first * sizes.tile;
      segments[2u * e + 1u] = total[e];
      load[e] = f32(total[e]);
    }
    if (i >= first && i < first + tiles) { owner = e; }
    first += tiles;
  }
  if (i < sizes.tiles) { tileExpert[i] = owner; }
}`,
  }),
});

/** slot[a] = padded row of assignment a, or none */
export const expertSlot = kernel({
  name: "expertSlot",
  buffers: { expert: "read u32", counts: "read u32", rank: "read u32", segments: "read u32", slot: "write u32" },
  sizes: { assignments: "u32", experts: "u32" },
  source: ({ assignments }) => ({
    form: "items",
    items: assignments,
    wgsl: /* wgsl */ `
fn run(a: u32) {
  let e = expert[a];
  var row = ${NONE};
  if (e < sizes.experts) { row = segments[2u * e] + counts[(a / ${CHUNK}u) * sizes.experts + e] + rank[a]; }
  slot[a] = row;
}`,
  }),
});

/** source[slot[a]] = a, after `fill` with none */
export const expertSource = kernel({
  name: "expertSource",
  buffers: { slot: "read u32", source: "update u32" },
  sizes: { assignments: "u32" },
  source: ({ assignments }) => ({
    form: "items",
    items: assignments,
    wgsl: /* wgsl */ `
fn run(a: u32) {
  let row = slot[a];
  if (row != ${NONE}) { source[row] = a; }
}`,
  }),
});

/** source[p] = none */
export const expertNoSource = kernel({
  name: "expertNoSource",
  buffers: { source: "write u32" },
  sizes: { rows: "u32" },
  specialize: false,
  source: ({ rows }) => ({ form: "items", items: rows, wgsl: `fn run(p: u32) { source[p] = ${NONE}; }` }),
});
