// The sparse mixture-of-experts layer in four verbs:
//
//   route      the router scores every expert for every token, the selector chooses
//   dispatch   assignments are sorted by expert
//   experts    each expert's rows go through it, as grouped matrix products over all experts
//   combine    every token sums the rows of its experts, weighted
//
// The last three are `mixExperts`, which does not sort where there are few tokens, as when text is written.
// Dropless unless told: every assignment is computed, whatever the balance (Gale et al. 2022), in memory of the worst case.

import { routerZLoss, type Selection, switchBalance } from "@webmoe/router";
import { add, sub, type Tensor } from "@webmoe/tensor";
import { mixExperts, runSharedExperts } from "./experts";
import type { MoeInput } from "./moe-input";
import { route } from "./route";

/** What one MoE layer returns. */
export interface MoeOutput {
  /** [T, D] */
  y: Tensor;
  /** What the router hands on to the next MoE layer. */
  carry: unknown;
  /** Unweighted Switch balance loss and router z-loss of this layer, and the router's own losses (weighted). */
  balanceLoss: Tensor;
  /** The router z-loss, unweighted: the mean over tokens of logsumexp(logits)^2, []. */
  zLoss: Tensor;
  /** The router's own losses by name, already weighted. */
  losses: Record<string, Tensor>;
  /** Assignments that each expert was chosen for, f32 [E]. */
  load: Tensor;
  /** Of these, what was past its capacity, f32 [E]; where there is one. */
  dropped?: Tensor;
  /** The sum of each expert's probability over tokens, f32 [E], and their mean entropy over tokens in nats, a scalar. */
  probabilities: Tensor;
  /** Mean entropy of the router's probabilities over tokens, in nats, []. */
  entropy: Tensor;
  /** [T, E] */
  logits: Tensor;
  /** Which experts the tokens go to, with dropped assignments left out. */
  selection: Selection;
}

/** sum over the chosen experts e of weight_e * expert_e(x), and the shared experts where there are some. */
export function moeLayer(input: MoeInput): MoeOutput {
  const { x, config, mask, sharedExperts, loadBefore, dropout = {} } = input;
  const { logits, carry, losses, selection, chosen } = route(input);
  const mixed = mixExperts(x, input.experts, selection, config, dropout.routed);
  const load = chosen ?? mixed.load;
  const balanced = loadBefore ? add(load, loadBefore) : load;
  const balance = switchBalance({ probabilities: selection.probabilities, load: balanced, mask });
  return {
    y: sharedExperts ? add(mixed.y, runSharedExperts(x, sharedExperts, config.activation, dropout.shared)) : mixed.y,
    carry,
    balanceLoss: balance.loss,
    zLoss: routerZLoss(logits, mask),
    losses,
    load,
    ...(chosen && { dropped: sub(chosen, mixed.load) }),
    probabilities: balance.total,
    entropy: balance.entropy,
    logits,
    selection,
  };
}
