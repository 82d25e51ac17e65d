// For selectors that let experts choose, or that give each token another number of experts.

import { kernel } from "../kernel";
import { NONE } from "./none";

/** rank[r,c] = the number of rows that come before r when column c is sorted in descending order, ties to the lower row */
export const columnRanks = kernel({
  name: "columnRanks",
  buffers: { x: "read", rank: "write" },
  sizes: { rows: "u32", cols: "u32" },
  source: ({ rows, cols }) => ({
    form: "items",
    items: rows * cols,
    wgsl: /* wgsl */ `
fn run(i: u32) {
  let row = i / sizes.cols;
  let mine = x[i];
  var before = 0u;
  var at = i % sizes.cols;
  for (var r = 0u; r < sizes.rows; r++) {
    let other = x[at];
    if (other > mine || (other == mine && r < row)) { before++; }
    at += sizes.cols;
  }
  rank[i] = f32(before);
}`,
  }),
});

/** index[r,c] = c where x[r,c] is not 0, else 0xffffffff */
export const columnsWhere = kernel({
  name: "columnsWhere",
  buffers: { x: "read", index: "write u32" },
  sizes: { rows: "u32", cols: "u32" },
  source: ({ rows, cols }) => ({
    form: "items",
    items: rows * cols,
    wgsl: /* wgsl */ `
fn run(i: u32) { index[i] = select(${NONE}, i % sizes.cols, x[i] != 0.0); }`,
  }),
});
