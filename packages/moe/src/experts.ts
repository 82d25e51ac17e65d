// What an expert computes: a gated feed-forward layer of three matrices, or a plain one of two; and the same for all tokens.

import { linear } from "@webmoe/nn";
import type { Selection } from "@webmoe/router";
import {
  assignmentLinear,
  assignmentSum,
  combineExperts,
  dropoutBy,
  type ExpertGroups,
  Expression,
  expertLinear,
  expertLoad,
  fold,
  gated,
  groupByExpert,
  type Init,
  type Key,
  type KeyedDropout,
  map,
  normal,
  recomputed,
  reshape,
  type Tensor,
} from "@webmoe/tensor";
import type { MoeConfig } from "./config";

/** The experts of one layer, stacked: gate and up side by side [E, 2, hidden, D], or up alone [E, hidden, D]; down [E, D, hidden]. */
export interface ExpertParameters<L> {
  /** Of gated experts: gate and up, [E, 2, hidden, D]. */
  gateUp?: L;
  /** Of plain experts: the first matrix, [E, hidden, D]. */
  up?: L;
  /** The last matrix, [E, D, hidden]. */
  down: L;
}

/** All shared experts of one layer side by side, S * hidden wide: [2, S hidden, D] or [S hidden, D]; down [D, S hidden]. */
export type SharedExpertParameters<L> = ExpertParameters<L>;

const GATES = { swiglu: "silu", geglu: "gelu", reglu: "relu" } as const;

const PLAIN = {
  gelu: (x: Expression) => {
    const inner = x.add(x.mul(x).mul(x).mul(0.044715)).mul(Math.sqrt(2 / Math.PI));
    return x.mul(0.5).mul(inner.tanh().add(1));
  },
  relu: (x: Expression) => Expression.constant(0).less(x).mul(x),
};

const isPlain = (activation: MoeConfig["activation"]): activation is keyof typeof PLAIN =>
  activation === "gelu" || activation === "relu";

/** How the experts of a layer of width `dim` start: normal with standard deviation 0.02. */
export function initExperts(dim: number, config: MoeConfig, key: Key): ExpertParameters<Init> {
  const { experts, hidden, activation } = config;
  return {
    ...(isPlain(activation)
      ? { up: normal([experts, hidden, dim], 0.02, fold(key, "up")) }
      : { gateUp: normal([experts, 2, hidden, dim], 0.02, fold(key, "gateUp")) }),
    down: normal([experts, dim, hidden], 0.02, fold(key, "down")),
  };
}

/** How the `config.sharedExperts` shared experts of a layer of width `dim` start: normal with standard deviation 0.02. */
export function initSharedExperts(dim: number, config: MoeConfig, key: Key): SharedExpertParameters<Init> {
  const hidden = config.hidden * config.sharedExperts!;
  return {
    ...(isPlain(config.activation)
      ? { up: normal([hidden, dim], 0.02, fold(key, "up")) }
      : { gateUp: normal([2, hidden, dim], 0.02, fold(key, "gateUp")) }),
    down: normal([dim, hidden], 0.02, fold(key, "down")),
  };
}

/** Up to so many tokens every assignment reads its expert's matrices by itself; from there on they are sorted by expert. */
const FEW_TOKENS = 4;

/**
 * Every token's sum over its experts, weighted, [T, D], and the assignments of each expert, f32 [E]. The gradient of few tokens
 * is that of the sorted form. `drop`: dropout on the hidden units, by their place in the sorted form.
 */
export function mixExperts(
  x: Tensor,
  parameters: ExpertParameters<Tensor>,
  selection: Selection,
  { experts, activation }: MoeConfig,
  drop?: KeyedDropout,
): { y: Tensor; load: Tensor } {
  const tokens = x.shape[0]!;
  const { token, expert, weight } = selection;
  const sorted = () => {
    const [, dim, hidden] = parameters.down.shape as [number, number, number];
    const groups = groupByExpert(token, expert, experts, { ...selection, width: dim * hidden });
    const y = combineExperts(runSorted(x, parameters, groups, activation, drop), weight, groups, tokens);
    return { y, load: groups.load };
  };
  if (tokens > FEW_TOKENS || drop) return sorted();
  const y = recomputed(
    { x, parameters, weight },
    () => assignmentSum(runUnsorted(x, parameters, expert, activation), parameters.down, expert, weight, tokens),
    () => sorted().y,
  );
  return { y, load: expertLoad(expert, experts) };
}

/** The output of every assignment's expert, in the groups' rows [P, D], for tokens x [T, D]. */
function runSorted(
  x: Tensor,
  { gateUp, up, down }: ExpertParameters<Tensor>,
  groups: ExpertGroups,
  activation: MoeConfig["activation"],
  drop?: KeyedDropout,
): Tensor {
  const [experts, dim, hidden] = down.shape as [number, number, number];
  const first = gateUp ? reshape(gateUp, [experts, 2 * hidden, dim]) : up!;
  const units = dropoutBy(activate(expertLinear(x, first, groups, { gather: true }), activation), drop);
  return expertLinear(units, down, groups);
}

/** What every assignment's expert has before its last matrix, [A, hidden]. */
function runUnsorted(
  x: Tensor,
  { gateUp, up }: ExpertParameters<Tensor>,
  expert: Tensor<"u32">,
  activation: MoeConfig["activation"] = "swiglu",
): Tensor {
  return isPlain(activation)
    ? activate(assignmentLinear(x, up!, expert), activation)
    : assignmentLinear(x, gateUp!, expert, GATES[activation]);
}

/** The sum of all shared experts for every token, [T, D]. */
export function runSharedExperts(
  x: Tensor,
  { gateUp, up, down }: SharedExpertParameters<Tensor>,
  activation: MoeConfig["activation"],
  drop?: KeyedDropout,
): Tensor {
  const [dim, hidden] = down.shape as [number, number];
  const first = gateUp ? reshape(gateUp, [2 * hidden, dim]) : up!;
  return linear(dropoutBy(activate(linear(x, first), activation), drop), down);
}

/** Rows as the first matrices leave them, to rows for the last: [R, hidden]. */
function activate(x: Tensor, activation: MoeConfig["activation"] = "swiglu"): Tensor {
  return isPlain(activation) ? map(activation, [x], PLAIN[activation]) : gated(x, GATES[activation]);
}
