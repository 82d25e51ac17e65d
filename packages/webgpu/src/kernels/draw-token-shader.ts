// How the next token is chosen. Nothing is sorted: a threshold on weights and a place in the vocabulary are found by halving an
// interval, with one sum over all tokens a round. Sums are taken in a fixed order.

/** Bits of a weight, which lies in [0, 1]: floats that are not negative are ordered as their bits are. */
const WEIGHT_BITS = 30;

/** The shader of `drawToken`. */
export const drawTokenShader = /* wgsl */ `
var<private> largest: f32;
var<private> least: u32;
fn weight(i: u32) -> f32 {
  let w = exp((logits[i] - largest) / max(choice[0], 1e-6));
  return select(0.0, w, bitcast<u32>(w) >= least);
}
// The sum of weights from bits \`bits\` on of the tokens from \`start\` and before \`end\`, or how many there are.
fn weights(start: u32, end: u32, bits: u32, counting: bool) -> f32 {
  var sum = 0.0;
  for (var i = start + first(); i < end; i += step()) {
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
    if (weights(0u, sizes.vocab, middle, counting) >= wanted) { low = middle; }
  }
  return low;
}
fn run(row: u32) {
  var most = -3.4e38;
  for (var i = first(); i < sizes.vocab; i += step()) { most = max(most, logits[i]); }
  largest = rowMax(most);
  if (choice[0] == 0.0) {
    var best = f32(sizes.vocab);
    for (var i = first(); i < sizes.vocab; i += step()) { if (logits[i] == largest) { best = min(best, f32(i)); } }
    best = -rowMax(-best);
    if (isFirst()) { token[0] = u32(best); }
    return;
  }
  least = 0u;
  if (choice[1] > 0.0) { least = threshold(choice[1], true); }
  if (choice[2] < 1.0) { least = threshold(choice[2] * weights(0u, sizes.vocab, 0u, false), false); }
  // The token lies in [start, start + 2^bit), which is halved; left is what is to be passed there.
  var left = choice[3] * weights(0u, sizes.vocab, 0u, false);
  var start = 0u;
  for (var bit = 32u - countLeadingZeros(sizes.vocab - 1u); bit > 0u; bit--) {
    let middle = start + (1u << (bit - 1u));
    let lower = weights(start, min(middle, sizes.vocab), 0u, false);
    if (lower <= left && middle < sizes.vocab) {
      left -= lower;
      start = middle;
    }
  }
  // Rounding may lead past the last token that counts: take the one before it.
  if (isFirst()) {
    while (start > 0u && weight(start) == 0.0) { start--; }
    token[0] = start;
  }
}`;
