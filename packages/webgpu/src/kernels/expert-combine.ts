// From experts' rows back to tokens and, in the backward pass, from tokens to experts' rows. Assignments are those of top-k
// routing: K per token, in token order, so that a token finds its rows through `slot` without a search.

import { kernel } from "../kernel";
import { NONE } from "./none";
import { wide } from "./wide";

/** out[t,:] = sum over j of weight[tK+j] * y[slot[tK+j],:], in the order of j */
export const combine = kernel({
  name: "combine",
  buffers: { y: "read", slot: "read u32", weight: "read", out: "write" },
  sizes: { tokens: "u32", topK: "u32", dim: "u32" },
  source: ({ tokens, dim }, target) => {
    const { lanes, alias, vectors } = wide(target, dim, ["y", "out"]);
    return {
      form: "items",
      items: (tokens * dim) / lanes,
      vectors,
      operands: ["y"],
      wgsl: /* wgsl */ `${alias}
fn run(i: u32) {
  let width = sizes.dim / ${lanes}u;
  let t = i / width;
  var total = Wide();
  for (var j = 0u; j < sizes.topK; j++) {
    let row = slot[t * sizes.topK + j];
    if (row != ${NONE}) { total += weight[t * sizes.topK + j] * read_y(row * width + i % width); }
  }
  out[i] = total;
}`,
    };
  },
});

/**
 * For the assignment a of row p: dy[p,:] = weight[a] * dout[token[a],:] and dweight[a] = dot(dout[token[a],:], y[p,:]).
 * dy is 0 in padding, dweight 0 for an assignment without expert.
 */
export const combineBackward = kernel({
  name: "combineBackward",
  buffers: {
    dout: "read",
    y: "read",
    source: "read u32",
    slot: "read u32",
    token: "read u32",
    weight: "read",
    dy: "write",
    dweight: "write",
  },
  sizes: { rows: "u32", assignments: "u32", dim: "u32" },
  source: ({ rows, assignments, dim }, target) => {
    const { lanes, alias, vectors, dot } = wide(target, dim, ["dout", "y", "dy"]);
    return {
      form: "rows",
      rows: Math.max(rows, assignments),
      vectors,
      results: ["dy"],
      operands: ["y"],
      wgsl: /* wgsl */ `${alias}
fn run(p: u32) {
  let width = sizes.dim / ${lanes}u;
  // A row has an assignment as long as there are rows; the number of a row stands for an assignment besides.
  if (p < sizes.assignments && slot[p] == ${NONE} && isFirst()) { dweight[p] = 0.0; }
  var a = ${NONE};
  if (p < sizes.rows) { a = source[p]; }
  var product = 0.0;
  if (a != ${NONE}) {
    let row = token[a] * width;
    for (var d = first(); d < width; d += step()) {
      let slope = dout[row + d];
      product += ${dot("slope", "read_y(p * width + d)")};
      write_dy(p * width + d, weight[a] * slope);
    }
  } else if (p < sizes.rows) {
    for (var d = first(); d < width; d += step()) { write_dy(p * width + d, Wide()); }
  }
  product = rowSum(product);
  if (a != ${NONE} && isFirst()) { dweight[a] = product; }
}`,
    };
  },
});
