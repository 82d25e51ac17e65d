// The sparse mixture-of-experts layer in four verbs:
//
//   route      the router scores every expert for every token, the selector chooses
//   dispatch   assignments are sorted by expert
//   experts    each expert's rows go through its SwiGLU, as one grouped matrix product over all experts
//   combine    every token sums the rows of its experts, weighted
//
// Dropless: every assignment is computed, whatever the balance (Gale et al. 2022). Memory is that of the worst case.

import {
  type AnyRouter,
  routerZLoss,
  type Selection,
  type Selector,
  softmaxTopK,
  switchBalanceLoss,
} from "@webmoe/router";
import {
  combineExperts,
  expertLinear,
  fold,
  gated,
  groupByExpert,
  type Init,
  type Key,
  type MapLeaves,
  normal,
  reshape,
  type Tensor,
} from "@webmoe/tensor";

/** What a MoE layer needs to know. */
export interface MoeConfig {
  experts: number;
  /** Experts per token. */
  topK: number;
  /** Inner width of an expert. */
  hidden: number;
  /** Let the weights of a token sum to one; default only for topK above 1. */
  renormalize?: boolean;
}

/** The experts of one layer, stacked: gate and up side by side [E, 2, hidden, D], down [E, D, hidden]. */
export interface ExpertParameters<L> {
  gateUp: L;
  down: L;
}

export function initExperts(dim: number, { experts, hidden }: MoeConfig, key: Key): ExpertParameters<Init> {
  return {
    gateUp: normal([experts, 2, hidden, dim], 0.02, fold(key, "gateUp")),
    down: normal([experts, dim, hidden], 0.02, fold(key, "down")),
  };
}

/** What one MoE layer is given. */
export interface MoeInput {
  /** [T, D] */
  x: Tensor;
  experts: ExpertParameters<Tensor>;
  config: MoeConfig;
  router: AnyRouter;
  /** The router's own parameters: shared by all layers, of this layer, and what is not learned. */
  routerParameters: {
    shared: MapLeaves<unknown, Tensor>;
    layer: MapLeaves<unknown, Tensor>;
    buffers?: MapLeaves<unknown, Tensor>;
  };
  /** Number of the MoE layer, from 0. */
  index: number;
  /** What the router handed on from the MoE layer before. */
  carry: unknown;
  /** Token ids, u32 [T]. */
  tokens: Tensor<"u32">;
  /** 1 for tokens, 0 for padding; f32 [T]. */
  mask: Tensor;
  training: boolean;
}

/** What one MoE layer returns. */
export interface MoeOutput {
  /** [T, D] */
  y: Tensor;
  carry: unknown;
  /** Unweighted Switch balance loss and router z-loss of this layer, and the router's own losses (weighted). */
  balanceLoss: Tensor;
  zLoss: Tensor;
  losses: Record<string, Tensor>;
  /** Assignments of each expert, f32 [E]. */
  load: Tensor;
}

/** sum over the chosen experts e of weight_e * down_e(silu(gate_e(x)) * up_e(x)). */
export function moeLayer(input: MoeInput): MoeOutput {
  const { x, config, mask } = input;
  const { logits, carry, losses, selection } = route(input);
  const groups = groupByExpert(selection.token, selection.expert, config.experts, selection);
  const { load } = groups;

  const { gateUp, down } = input.experts;
  const [experts, , hidden, dim] = gateUp.shape as [number, number, number, number];
  const inner = gated(expertLinear(x, reshape(gateUp, [experts, 2 * hidden, dim]), groups, { gather: true })); // [P, hidden]
  const y = combineExperts(expertLinear(inner, down, groups), selection.weight, groups, x.shape[0]!);
  return {
    y,
    carry,
    balanceLoss: switchBalanceLoss({ probabilities: selection.probabilities, load, mask }),
    zLoss: routerZLoss(logits, mask),
    losses,
    load,
  };
}

function route({ x, config, router, routerParameters, index, carry, tokens, mask, training }: MoeInput) {
  const { shared, layer, buffers } = routerParameters;
  const scores = router.score({ x, shared, layer, buffers, index, carry, tokens, mask, training });
  const select: Selector = router.select ?? softmaxTopK({ renormalize: config.renormalize });
  const { topK } = config;
  const selection: Selection = select({ logits: scores.logits, mask, topK, tokens, index, buffers, training });
  return { logits: scores.logits, carry: scores.carry, losses: scores.losses ?? {}, selection };
}
