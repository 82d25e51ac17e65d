// Sums along one axis, each in a fixed order. A matrix with many rows is summed over its rows in two stages of
// `columnSum`: first to a few chunks, so that there is work for many invocations, then those chunks to one.

import { kernel } from "../kernel";
import { columnSums } from "./column-sums";
import { wide } from "./wide";

/** y[r] = sum over c of x[r,c] */
export const rowSum = kernel({
  name: "rowSum",
  buffers: { x: "read", y: "write" },
  sizes: { rows: "u32", cols: "u32" },
  flops: ({ rows, cols }) => rows * cols,
  source: ({ rows, cols }, target) => {
    const { lanes, alias, vectors, dot } = wide(target, cols, ["x"]);
    return {
      form: "rows",
      rows,
      // Few long rows leave most of a device idle: more lanes share each.
      workgroup: cols >= 2048 ? 256 : undefined,
      vectors,
      wgsl: /* wgsl */ `${alias}
fn run(row: u32) {
  let width = sizes.cols / ${lanes}u;
  var own = Wide();
  for (var c = first(); c < width; c += step()) { own += x[row * width + c]; }
  let total = rowSum(${dot("own", "Wide(1.0)")});
  if (isFirst()) { y[row] = total; }
}`,
    };
  },
});

/** y[o,i] = sum over r of x[o,r,i], for x seen as [outer, reduced, inner] */
export const sumMiddle = kernel({
  name: "sumMiddle",
  buffers: { x: "read", y: "write" },
  sizes: { outer: "u32", reduced: "u32", inner: "u32" },
  flops: ({ outer, reduced, inner }) => outer * reduced * inner,
  source: ({ outer, inner }) => ({
    form: "items",
    items: outer * inner,
    wgsl: /* wgsl */ `
fn run(i: u32) {
  let start = (i / sizes.inner) * sizes.reduced * sizes.inner + i % sizes.inner;
  var total = 0.0;
  for (var r = 0u; r < sizes.reduced; r++) { total += x[start + r * sizes.inner]; }
  y[i] = total;
}`,
  }),
});

/** y[chunk,c] = sum over the rows r of the chunk of x[r,c]; a chunk has ceil(rows / chunks) rows, the last ones fewer */
export const columnSum = kernel({
  name: "columnSum",
  buffers: { x: "read", y: "write" },
  sizes: { rows: "u32", cols: "u32", chunks: "u32" },
  flops: ({ rows, cols }) => rows * cols,
  source: (sizes, target) => columnSums({ ...sizes, terms: ["x[at]"], buffers: ["x"], result: "y" }, target),
});
