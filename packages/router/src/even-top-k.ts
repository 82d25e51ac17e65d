import { evenExperts, map, mul, reshape, softmax, takeColumns, tokenOfAssignment } from "@webmoe/tensor";
import { shares } from "./selections";
import type { Selector, SoftmaxTopKOptions } from "./selector";

/**
 * For benchmarks: K experts of each token in turn, whatever the scores, so that every expert has the same load. Weights and
 * probabilities are those of the softmax, so that the router costs and learns what it would.
 */
export function evenTopK({ renormalize }: SoftmaxTopKOptions = {}): Selector {
  return ({ logits, mask, topK }) => {
    const [tokens, experts] = logits.shape as [number, number];
    const { column, expert } = evenExperts(mask, experts, topK);
    const rows = reshape(mask, [tokens, 1]);
    const probabilities = map("masked", [softmax(logits), rows], (p, mask) => p.mul(mask));
    const kept = takeColumns(probabilities, column); // [T, K]
    const weight = (renormalize ?? topK > 1) ? shares(kept, rows) : mul(kept, rows);
    return { token: tokenOfAssignment(logits, topK), expert, weight: reshape(weight, [tokens * topK]), probabilities };
  };
}
