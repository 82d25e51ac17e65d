// The choice of the next token from its scores, on the GPU: what is written next needs no round trip to the host. Nothing is sorted.
// A threshold on weights and a place in the vocabulary are found by halving an interval, with one sum over all tokens a round: a sum
// only grows as weights are added to it in one order, so that rounds agree with each other.

import { kernel } from "../kernel";

/** Bits of a weight, which lies in [0, 1]: floats that are not negative are ordered as their bits are. */
const WEIGHT_BITS = 30;

/**
 * With weights w_i = exp((logits[i] - largest) / temperature) and choice = (temperature, topK, topP, random):
 * token[0] = the first i at which w_0 + .. + w_i passes random * sum of w. Only the topK largest weights count (0: all), ties with the
 * smallest of them too, and of these only the fewest largest whose sum is at least topP of all (Holtzman et al. 2020). At temperature 0:
 * the most likely token, the first of several.
 */
export const drawToken = kernel({
  name: "drawToken",
  buffers: { logits: "read", choice: "read", token: "update u32" },
  sizes: { vocab: "u32" },
  specialize: false,
  source: () => ({
    form: "rows",
    rows: 1,
    workgroup: 256,
    wgsl: /* wgsl */ `
var<private> largest: f32;
var<private> least: u32;
fn weight(i: u32) -> f32 {
  let w = exp((logits[i] - largest) / max(choice[0], 1e-6));
  return select(0.0, w, bitcast<u32>(w) >= least);
}
// The sum of weights from bits \`bits\` on of the tokens before \`end\`, or how many there are.
fn weightsFrom(bits: u32, end: u32, counting: bool) -> f32 {
  var sum = 0.0;
  for (var i = first(); i < end; i += step()) {
    let w = weight(i);
    if (bitcast<u32>(w) >= bits) { sum += select(w, 1.0, counting); }
  }
  return rowSum(sum);
}
// The highest bits from which on there are \`wanted\`.
fn threshold(wanted: f32, counting: bool) -> u32 {
  var low = 0u;
  for (var bit = ${WEIGHT_BITS}u; bit > 0u; bit--) {
    let middle = low | (1u << (bit - 1u));
    if (weightsFrom(middle, sizes.vocab, counting) >= wanted) { low = middle; }
  }
  return low;
}
fn run(row: u32) {
  var most = -3.4e38;
  for (var i = first(); i < sizes.vocab; i += step()) { most = max(most, logits[i]); }
  largest = rowMax(most);
  var best = f32(sizes.vocab);
  for (var i = first(); i < sizes.vocab; i += step()) { if (logits[i] == largest) { best = min(best, f32(i)); } }
  best = -rowMax(-best);
  least = 0u;
  if (choice[1] > 0.0) { least = threshold(choice[1], true); }
  if (choice[2] < 1.0) { least = threshold(choice[2] * weightsFrom(0u, sizes.vocab, false), false); }
  let passed = choice[3] * weightsFrom(0u, sizes.vocab, false);
  var before = 0u;
  for (var bit = 32u - countLeadingZeros(sizes.vocab); bit > 0u; bit--) {
    let middle = before | (1u << (bit - 1u));
    if (weightsFrom(0u, min(middle, sizes.vocab), false) <= passed && middle < sizes.vocab) { before = middle; }
  }
  if (isFirst()) { token[0] = select(before, u32(best), choice[0] == 0.0 || weight(before) == 0.0); }
}`,
  }),
});
