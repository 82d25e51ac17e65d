import { NO_EXPERT } from "./selector";

/** The values of a selection on the host. */
export interface SelectionValues {
  token: Uint32Array;
  expert: Uint32Array;
  weight: Float32Array;
  probabilities: Float32Array;
}

/** What a selection must fit. */
export interface SelectionFacts {
  tokens: number;
  experts: number;
  /** The tokens that are padding. */
  padding: number[];
  /** The bound that the selector gave. */
  atMost?: number;
}

/** What is wrong with a selection, in a line; undefined if nothing is. */
export function selectionFault(selection: SelectionValues, facts: SelectionFacts): string | undefined {
  const { token, expert, weight, probabilities } = selection;
  const { tokens, experts, padding, atMost = token.length } = facts;
  if (expert.length !== token.length || weight.length !== token.length) {
    return `a selection needs one token, expert and weight an assignment, got ${token.length}, ${expert.length}, ${weight.length}`;
  }
  const each = token.length / tokens;
  if (!Number.isInteger(each))
    return `a selection needs as many assignments for each of ${tokens} tokens, got ${token.length}`;
  for (const [a, t] of token.entries()) {
    if (t !== Math.floor(a / each)) return `assignments must be in token order, got token ${t} at ${a}`;
    if (expert[a] === NO_EXPERT) continue;
    if (expert[a]! >= experts) return `an assignment needs an expert below ${experts} or NO_EXPERT, got ${expert[a]}`;
    if (padding.includes(t)) return `padding must go to no expert, got ${expert[a]}`;
    if (!Number.isFinite(weight[a])) return `weights must be finite, got ${weight[a]}`;
  }
  const used = expert.filter((e) => e !== NO_EXPERT).length;
  if (used > atMost) return `at most ${atMost} assignments were promised, got ${used}`;
  for (let t = 0; t < tokens; t++) {
    const total = probabilities.subarray(t * experts, (t + 1) * experts).reduce((a, b) => a + b, 0);
    const [none, whole] = [Math.abs(total) < 1e-4, Math.abs(total - 1) < 1e-4];
    if (padding.includes(t) ? !none : !none && !whole) {
      return `probabilities of a token must sum to 1, or to 0 for padding, got ${total} for token ${t}`;
    }
  }
  return undefined;
}
