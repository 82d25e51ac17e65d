/** What the probabilities of one token say about a router's choice (Qiu et al. 2024, arXiv 2408.06793, section 5). */
export interface GateFigures {
  /** -sum_e p_e ln p_e, in nats; at most ln E. */
  entropy: Float64Array;
  /** Inner balance: the largest probability over the second; infinite where the second is 0. */
  inner: Float64Array;
  /** Outer balance: the sum of the K largest probabilities. */
  outer: Float64Array;
}

/** Entropy, inner and outer balance of every row of `probabilities` [T, E]. */
export function gateFigures(probabilities: ArrayLike<number>, experts: number, topK: number): GateFigures {
  const tokens = probabilities.length / experts;
  const [entropy, inner, outer] = [new Float64Array(tokens), new Float64Array(tokens), new Float64Array(tokens)];
  const row = new Float64Array(experts);
  for (let t = 0; t < tokens; t++) {
    for (let e = 0; e < experts; e++) {
      const p = probabilities[t * experts + e]!;
      row[e] = p;
      if (p > 0) entropy[t]! -= p * Math.log(p);
    }
    row.sort(); // ascending
    inner[t] = experts > 1 ? row[experts - 1]! / row[experts - 2]! : Number.POSITIVE_INFINITY;
    for (let k = 1; k <= topK; k++) outer[t]! += row[experts - k]!;
  }
  return { entropy, inner, outer };
}
