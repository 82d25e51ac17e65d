// One invocation a token: K passes over its scores, each taking the largest that is left. A score of -inf rules its column
// out. Where fewer than K are left, the K-th weight is no number, and so is whatever is computed from it: a loss that the
// trainer stops at, with no word read back while all is well.

import { kernel } from "../kernel";
import { selectionShaders } from "./kernels-of-target";
import { NONE } from "./none";

/** The bits of NaN, to be read from a variable: WGSL refuses a constant that is no number. */
const NOT_A_NUMBER = "0x7fc00000u";

/** Whether a score is -inf; a comparison with a finite number, as compilers may take for granted that there is no inf. */
const isRuledOut = (score: string) => `${score} <= -3.4e38`;

/** index[r,:] = the columns of the K largest of x[r,:] in descending order, ties to the lower column; none for -inf */
export const topKColumns = kernel({
  name: "topK",
  buffers: { x: "read", index: "write u32" },
  sizes: { rows: "u32", cols: "u32" },
  source: ({ rows }, _target, { topK }: Pick<TopKOptions, "topK">) => ({
    form: "items",
    items: rows,
    wgsl: selectionShaders().topKColumns(
      chooseLargest("x", "sizes.cols", topK),
      topK,
      isRuledOut("x[start + chosen[j]]"),
    ),
  }),
});

/** y[r,j] = x[r, index[r,j]], which is no number where index is none */
export const takeColumnsForward = kernel({
  name: "takeColumns",
  buffers: { x: "read", index: "read u32", y: "write" },
  sizes: { rows: "u32", cols: "u32", taken: "u32" },
  source: ({ rows, taken }) => ({
    form: "items",
    items: rows * taken,
    wgsl: selectionShaders().takeColumnsForward(NOT_A_NUMBER),
  }),
});

/** dx[r,c] = the sum of dy[r,j] over all j with index[r,j] = c */
export const takeColumnsBackward = kernel({
  name: "takeColumnsBackward",
  buffers: { index: "read u32", dy: "read", dx: "write" },
  sizes: { rows: "u32", cols: "u32", taken: "u32" },
  source: ({ rows, cols }) => ({
    form: "items",
    items: rows * cols,
    wgsl: selectionShaders().takeColumnsBackward,
  }),
});

/** How many are chosen, and whether their weights sum to one. */
export interface TopKOptions {
  /** How many columns of a row are taken. */
  topK: number;
  /** Whether the weights of a row are divided by their sum. */
  renormalize: boolean;
}

/**
 * probabilities[t,:] = softmax(logits[t,:]); expert[tK+j] = its j-th largest column, ties to the lower one;
 * weight[tK+j] = that probability, divided by the sum of the chosen if renormalised; no number where that column's logit is
 * -inf. Masked rows: 0, none, 0.
 */
export const topKSoftmaxForward = kernel({
  name: "topKSoftmaxForward",
  buffers: { logits: "read", mask: "read", probabilities: "write", expert: "write u32", weight: "write" },
  sizes: { tokens: "u32", experts: "u32" },
  source: ({ tokens }, _target, { topK, renormalize }: TopKOptions) => ({
    form: "items",
    items: tokens,
    wgsl: /* wgsl */ `
fn run(t: u32) {
  let start = t * sizes.experts;
  let at = t * ${topK}u;
  if (mask[t] == 0.0) {
    for (var e = 0u; e < sizes.experts; e++) { probabilities[start + e] = 0.0; }
    for (var j = 0u; j < ${topK}u; j++) { expert[at + j] = ${NONE}; weight[at + j] = 0.0; }
    return;
  }
  var largest = -3.4e38;
  for (var e = 0u; e < sizes.experts; e++) { largest = max(largest, logits[start + e]); }
  var total = 0.0;
  for (var e = 0u; e < sizes.experts; e++) { total += exp(logits[start + e] - largest); }
  for (var e = 0u; e < sizes.experts; e++) { probabilities[start + e] = exp(logits[start + e] - largest) / total; }

${chooseLargest("logits", "sizes.experts", topK)}
  var bits = ${NOT_A_NUMBER};
  var weights = array<f32, ${topK}>();
  var kept = 0.0;
  for (var j = 0u; j < ${topK}u; j++) {
    let score = logits[start + chosen[j]];
    weights[j] = select(exp(score - largest) / total, bitcast<f32>(bits), ${isRuledOut("score")});
    kept += weights[j];
  }
  for (var j = 0u; j < ${topK}u; j++) {
    expert[at + j] = chosen[j];
    weight[at + j] = weights[j] / ${renormalize ? "kept" : "1.0"};
  }
}`,
  }),
});

/**
 * With g_e = dprobabilities_e + what flows back through the weights, dlogits = p * (g - dot(p, g)). A chosen column's weight
 * is w_j = p_j / s with s = sum of the chosen p (1 if not renormalised), so it adds (dweight_j - dot(weight, dweight)) / s.
 */
export const topKSoftmaxBackward = kernel({
  name: "topKSoftmaxBackward",
  buffers: {
    probabilities: "read",
    expert: "read u32",
    weight: "read",
    dprobabilities: "read",
    dweight: "read",
    dlogits: "write",
  },
  sizes: { tokens: "u32", experts: "u32" },
  source: ({ tokens }, _target, { topK, renormalize }: TopKOptions) => ({
    form: "items",
    items: tokens,
    operands: ["dprobabilities"],
    wgsl: /* wgsl */ `
fn run(t: u32) {
  let start = t * sizes.experts;
  let at = t * ${topK}u;
  if (expert[at] == ${NONE}) {
    for (var e = 0u; e < sizes.experts; e++) { dlogits[start + e] = 0.0; }
    return;
  }
  var kept = 0.0;
  var inner = 0.0;
  for (var j = 0u; j < ${topK}u; j++) {
    kept += probabilities[start + expert[at + j]];
    inner += weight[at + j] * dweight[at + j];
  }
  var product = 0.0;
  for (var e = 0u; e < sizes.experts; e++) {
    var g = read_dprobabilities(start + e);
    for (var j = 0u; j < ${topK}u; j++) {
      if (expert[at + j] == e) { g += ${renormalize ? "(dweight[at + j] - inner) / kept" : "dweight[at + j]"}; }
    }
    dlogits[start + e] = g;
    product += probabilities[start + e] * g;
  }
  for (var e = 0u; e < sizes.experts; e++) {
    dlogits[start + e] = probabilities[start + e] * (dlogits[start + e] - product);
  }
}`,
  }),
});

/**
 * Statements that set `chosen` to the columns c with the largest `values[start + c]`. The first column that is left is
 * taken whatever its value, so columns differ even where all values are the lowest number or not a number.
 */
function chooseLargest(values: string, columns: string, topK: number): string {
  return /* wgsl */ `
  var chosen = array<u32, ${topK}>();
  for (var j = 0u; j < ${topK}u; j++) {
    var best = 0.0;
    var column = ${NONE};
    for (var c = 0u; c < ${columns}; c++) {
      var taken = false;
      for (var i = 0u; i < j; i++) { taken = taken || chosen[i] == c; }
      let value = ${values}[start + c];
      if (!taken && (column == ${NONE} || value > best)) { best = value; column = c; }
    }
    chosen[j] = column;
  }`;
}
