// For selectors that let experts choose, or that give each token another number of experts.

import { kernel } from "../kernel";
import { selectionShaders } from "./kernels-of-target";

/** rank[r,c] = the number of rows that come before r when column c is sorted in descending order, ties to the lower row */
export const columnRanks = kernel({
  name: "columnRanks",
  buffers: { x: "read", rank: "write" },
  sizes: { rows: "u32", cols: "u32" },
  source: ({ rows, cols }) => ({
    form: "items",
    items: rows * cols,
    wgsl: selectionShaders().columnRanks,
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
    wgsl: selectionShaders().columnsWhere,
  }),
});
