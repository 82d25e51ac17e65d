/** How alike the experts of a layer are. */
export interface ExpertSimilarity {
  /** The mean of all E^2 entries of the Gram matrix, the diagonal included, as published. */
  whole: number;
  /** The mean of the entries off the diagonal. */
  offDiagonal: number;
}

/**
 * Similarity by an expert's mean rows (Qiu et al. 2024, arXiv 2408.06793, appendix A.4.3): each part [E, D], an expert's mean
 * over hidden units of one of its matrices, is normalised to length 1; the parts of an expert side by side are its vector.
 */
export function expertSimilarity(parts: ArrayLike<number>[], experts: number): ExpertSimilarity {
  let [whole, diagonal] = [0, 0];
  for (const part of parts) {
    const dim = part.length / experts;
    const sum = new Float64Array(dim);
    for (let e = 0; e < experts; e++) {
      let square = 0;
      for (let d = 0; d < dim; d++) square += part[e * dim + d]! ** 2;
      if (square === 0) continue;
      diagonal++;
      for (let d = 0; d < dim; d++) sum[d]! += part[e * dim + d]! / Math.sqrt(square);
    }
    // sum over i, j of <v_i, v_j> = |sum over i of v_i|^2
    whole += sum.reduce((total, value) => total + value * value, 0);
  }
  return { whole: whole / experts ** 2, offDiagonal: (whole - diagonal) / Math.max(1, experts * (experts - 1)) };
}
