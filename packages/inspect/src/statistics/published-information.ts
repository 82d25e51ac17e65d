// The cross-layer mutual information of Qiu et al. 2024 (arXiv 2408.06793, appendix A.4.2), kept for comparison with the paper:
// for one token, each expert is a sample of a pair of numbers, its probability in layer i and in layer j, put into 99 equal
// bins. What it measures is mostly how flat the probabilities are: two layers that choose independently of each other score
// high where both are flat. `choiceInformation` asks the sound question.

const EDGES = 100;

/** The edges of the bins: 100 numbers from 0 to 1. */
const edge = (i: number) => (i === EDGES - 1 ? 1 : i * (1 / (EDGES - 1)));

/** How many edges are at or below `p`: what numpy.digitize(p, numpy.linspace(0, 1, 100)) gives. */
export function digitize(p: number): number {
  let bin = Math.min(EDGES, Math.max(0, Math.floor(p * (EDGES - 1)) + 1));
  while (bin < EDGES && edge(bin) <= p) bin++;
  while (bin > 0 && edge(bin - 1) > p) bin--;
  return bin;
}

/**
 * The mean over tokens of the mutual information in nats between the digitised probabilities [T, E] of two layers, with the
 * experts as samples; of each pair of layers, [L, L].
 */
export function publishedInformation(layers: ArrayLike<number>[], experts: number): number[][] {
  const tokens = (layers[0]?.length ?? 0) / experts;
  const bins = layers.map((probabilities) => Uint8Array.from(probabilities, digitize));
  const logs = Float64Array.from({ length: experts + 1 }, (_, count) => Math.log(count));
  const joint = new Uint16Array((EDGES + 1) ** 2);
  const own = layers.map(() => new Uint16Array(EDGES + 1));
  const sums = layers.map(() => new Float64Array(layers.length));
  for (let t = 0; t < tokens; t++) {
    const at = (layer: number, e: number) => bins[layer]![t * experts + e]!;
    own.forEach((counts, layer) => {
      for (let e = 0; e < experts; e++) counts[at(layer, e)]!++;
    });
    for (let i = 0; i < layers.length; i++) {
      for (let j = i; j < layers.length; j++) {
        for (let e = 0; e < experts; e++) joint[at(i, e) * (EDGES + 1) + at(j, e)]!++;
        // sum over cells of n_ij / n ln(n n_ij / (n_i n_j)), as one term for each sample
        let information = 0;
        for (let e = 0; e < experts; e++) {
          const [a, b] = [at(i, e), at(j, e)];
          information += logs[joint[a * (EDGES + 1) + b]!]! - logs[own[i]![a]!]! - logs[own[j]![b]!]!;
        }
        for (let e = 0; e < experts; e++) joint[at(i, e) * (EDGES + 1) + at(j, e)] = 0;
        sums[i]![j]! += Math.max(0, information / experts + logs[experts]!);
      }
    }
    own.forEach((counts) => {
      counts.fill(0);
    });
  }
  return layers.map((_, i) => layers.map((_, j) => sums[Math.min(i, j)]![Math.max(i, j)]! / tokens));
}
