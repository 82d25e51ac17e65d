import { type Balance, balance, Expression, logSumExp, map, mul, sum, type Tensor } from "@webmoe/tensor";

/** What a layer's balance is seen from. */
export interface BalanceInput {
  /** [T, E]; zero rows for padding. */
  probabilities: Tensor;
  /** Assignments of each expert, f32 [E]. */
  load: Tensor;
  /** f32 [T] */
  mask: Tensor;
}

/**
 * The Switch balance loss E * sum_e f_e p_e, where f_e is expert e's share of the assignments and p_e the mean of its
 * probability over tokens (Fedus et al. 2021, eq. 4-6): 1 at perfect balance for any K. Beside it the mean entropy of the
 * probabilities and their sums. f has no gradient; padding does not count.
 */
export function switchBalance({ probabilities, load, mask }: BalanceInput): Balance {
  return balance(probabilities, load, sum(mask));
}

/** The mean over tokens of logsumexp(logits)^2 (Zoph et al. 2022, eq. 5), padding left out. */
export function routerZLoss(logits: Tensor, mask: Tensor): Tensor {
  const squared = map("zLoss", [logSumExp(logits), mask], (lse, mask) => lse.mul(lse).mul(mask));
  return mul(
    sum(squared),
    map("perToken", [sum(mask)], (tokens) => Expression.constant(1).div(tokens.max(1))),
  );
}
