// What selectors other than softmax top-k are built from.

import {
  columnsWhere,
  map,
  mul,
  reshape,
  stopGradient,
  sum,
  type Tensor,
  takeColumns,
  tokenOfAssignment,
  topK as topKColumns,
  topKSoftmax,
} from "@webmoe/tensor";
import type { Selection, Selector } from "./selector";

/** What `topKSelection` chooses from. */
export interface TopKChoice {
  /** Experts are chosen by these, [T, E]; they get no gradient. */
  choice: Tensor;
  /** The chosen are weighted by these, [T, E], not negative. */
  scores: Tensor;
  /** f32 [T] */
  mask: Tensor;
  /** How many experts each token goes to. */
  topK: number;
  /** Divide a token's weights by their sum. */
  renormalize: boolean;
}

/** The K experts with the largest `choice` of each token, weighted by their `scores`. Probabilities are the scores' shares. */
export function topKSelection({ choice, scores, mask, topK, renormalize }: TopKChoice): Selection {
  const [tokens] = scores.shape as [number, number];
  const { expert } = topKSoftmax(choice, mask, topK, false); // only it knows of the mask
  const kept = takeColumns(scores, topKColumns(choice, topK)); // [T, K]
  const rows = reshape(mask, [tokens, 1]);
  const weight = renormalize ? shares(kept, rows) : mul(kept, rows);
  return {
    token: tokenOfAssignment(choice, topK),
    expert,
    weight: reshape(weight, [tokens * topK]),
    probabilities: shares(scores, rows),
  };
}

/** Every token may go to any number of experts: one assignment for each pair of a token and an expert, A = T * E. */
export interface MatrixChoice {
  /** Not 0 where the token goes to the expert, [T, E]; 0 for padding. It gets no gradient. */
  chosen: Tensor;
  /** Weights, [T, E]. */
  weight: Tensor;
  /** What statistics and the balance loss see, [T, E]; rows sum to 1 or 0. */
  probabilities: Tensor;
  /** A bound on how many are chosen, where one is known; memory is sized by it. */
  atMost?: number;
}

/** A choice that is a matrix as a selection. */
export function matrixSelection({ chosen, weight, probabilities, atMost }: MatrixChoice): Selection {
  const [, experts] = chosen.shape as [number, number];
  const expert = columnsWhere(stopGradient(chosen));
  const kept = map("chosen", [weight, chosen], (weight, chosen) => chosen.select(weight, 0));
  return {
    token: tokenOfAssignment(chosen, experts),
    expert: reshape(expert, [chosen.size]),
    weight: reshape(kept, [chosen.size]),
    probabilities,
    atMost,
  };
}

/** The K largest, weighted by the sigmoid of their logits; renormalised for K above 1 unless told (DeepSeek-AI 2024, eq. 13-15). */
export function sigmoidTopK({ renormalize }: { renormalize?: boolean } = {}): Selector {
  return ({ logits, mask, topK }) => {
    const scores = map("sigmoid", [logits], (x) => x.sigmoid());
    return topKSelection({ choice: logits, scores, mask, topK, renormalize: renormalize ?? topK > 1 });
  };
}

/** Rows divided by their sums, rows that sum to nothing left at 0; `mask` [T, 1] clears padding. */
export function shares(scores: Tensor, mask: Tensor): Tensor {
  const total = sum(scores, 1, 2); // [T, 1]
  return map("shares", [scores, total, mask], (score, total, mask) => score.div(total.max(1e-20)).mul(mask));
}
