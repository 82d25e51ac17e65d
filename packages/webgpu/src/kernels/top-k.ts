// One invocation a token: K passes over its scores, each taking the largest that is left.

import { kernel } from "../kernel";

const NONE = "0xffffffffu";

/** How many are chosen, and whether their weights sum to one. */
export interface TopKOptions {
  topK: number;
  renormalize: boolean;
}

/**
 * probabilities[t,:] = softmax(logits[t,:]); expert[tK+j] = its j-th largest column, ties to the lower one;
 * weight[tK+j] = that probability, divided by the sum of the chosen if renormalised. Masked rows: 0, none, 0.
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

  var chosen = array<u32, ${topK}>();
  var weights = array<f32, ${topK}>();
  var kept = 0.0;
  for (var j = 0u; j < ${topK}u; j++) {
    var best = -3.4e38;
    var column = 0u;
    for (var e = 0u; e < sizes.experts; e++) {
      var taken = false;
      for (var i = 0u; i < j; i++) { taken = taken || chosen[i] == e; }
      if (!taken && logits[start + e] > best) { best = logits[start + e]; column = e; }
    }
    chosen[j] = column;
    weights[j] = exp(best - largest) / total;
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
    var g = dprobabilities[start + e];
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
