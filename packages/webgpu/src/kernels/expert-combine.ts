// From experts' rows back to tokens and, in the backward pass, from tokens to experts' rows. Assignments are those of top-k
// routing: K per token, in token order, so that a token finds its rows through `slot` without a search.

import { kernel } from "../kernel";
import { wide } from "./wide";

const NONE = "0xffffffffu";

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
      wgsl: /* wgsl */ `${alias}
fn run(i: u32) {
  let width = sizes.dim / ${lanes}u;
  let t = i / width;
  var total = Wide();
  for (var j = 0u; j < sizes.topK; j++) {
    let row = slot[t * sizes.topK + j];
    if (row != ${NONE}) { total += weight[t * sizes.topK + j] * y[row * width + i % width]; }
  }
  out[i] = total;
}`,
    };
  },
});

/** out[t,:] = sum over j of y[slot[tK+j],:]: the gradient of reading a token's row once per assignment */
export const gatherSum = kernel({
  name: "gatherSum",
  buffers: { y: "read", slot: "read u32", out: "write" },
  sizes: { tokens: "u32", topK: "u32", dim: "u32" },
  source: ({ tokens, dim }, target) => {
    const { lanes, alias, vectors } = wide(target, dim, ["y", "out"]);
    return {
      form: "items",
      items: (tokens * dim) / lanes,
      vectors,
      wgsl: /* wgsl */ `${alias}
fn run(i: u32) {
  let width = sizes.dim / ${lanes}u;
  let t = i / width;
  var total = Wide();
  for (var j = 0u; j < sizes.topK; j++) {
    let row = slot[t * sizes.topK + j];
    if (row != ${NONE}) { total += y[row * width + i % width]; }
  }
  out[i] = total;
}`,
    };
  },
});

/** dy[p,:] = weight[a] * dout[token[a],:] for the assignment a of row p; 0 in padding */
export const combineBackward = kernel({
  name: "combineBackward",
  buffers: { dout: "read", source: "read u32", token: "read u32", weight: "read", dy: "write" },
  sizes: { rows: "u32", dim: "u32" },
  source: ({ rows, dim }, target) => {
    const { lanes, alias, vectors } = wide(target, dim, ["dout", "dy"]);
    return {
      form: "items",
      items: (rows * dim) / lanes,
      vectors,
      wgsl: /* wgsl */ `${alias}
fn run(i: u32) {
  let width = sizes.dim / ${lanes}u;
  let a = source[i / width];
  var value = Wide();
  if (a != ${NONE}) { value = weight[a] * dout[token[a] * width + i % width]; }
  dy[i] = value;
}`,
    };
  },
});

/** dweight[a] = dot(dout[token[a],:], y[slot[a],:]); 0 for an assignment without expert */
export const combineWeightGradient = kernel({
  name: "combineWeightGradient",
  buffers: { dout: "read", y: "read", slot: "read u32", token: "read u32", dweight: "write" },
  sizes: { assignments: "u32", dim: "u32" },
  source: ({ assignments }) => ({
    form: "rows",
    rows: assignments,
    wgsl: /* wgsl */ `
fn run(a: u32) {
  let row = slot[a];
  let t = token[a];
  var product = 0.0;
  if (row != ${NONE}) {
    for (var d = first(); d < sizes.dim; d += step()) { product += dout[t * sizes.dim + d] * y[row * sizes.dim + d]; }
  }
  product = rowSum(product);
  if (isFirst()) { dweight[a] = product; }
}`,
  }),
});
