import { NO_CHOICE } from "./choice-information";

/** What stands for "no expert" in an assignment. */
const NO_EXPERT = 0xffffffff;

/** Which experts the tokens of one layer go to: A / T assignments a token, in token order, unused ones NO_EXPERT. */
export interface Choices {
  expert: Uint32Array;
  weight: Float32Array;
}

/** The experts of token `t` with their weights, in the order of the assignments. */
export function expertsOf({ expert, weight }: Choices, tokens: number, t: number): [expert: number, weight: number][] {
  const each = expert.length / tokens;
  const found: [number, number][] = [];
  for (let a = t * each; a < (t + 1) * each; a++) {
    if (expert[a] !== NO_EXPERT) found.push([expert[a]!, weight[a]!]);
  }
  return found;
}

/** The expert of the largest weight of every token, the first of equals; NO_CHOICE where it goes to none. [T] */
export function firstChoices(choices: Choices, tokens: number): Int32Array {
  return Int32Array.from({ length: tokens }, (_, t) => {
    let [first, largest] = [NO_CHOICE, Number.NEGATIVE_INFINITY];
    for (const [expert, weight] of expertsOf(choices, tokens, t)) {
      if (weight > largest) [first, largest] = [expert, weight];
    }
    return first;
  });
}

/** How far two choices of the same tokens differ. */
export interface ChoiceChange {
  /** Share of tokens whose first choice differs. */
  first: number;
  /** Share of the first's assignments that the second lacks. */
  assignments: number;
}

/** Compare two layers' choices token by token, of the tokens that `counts` takes. */
export function choiceChange(
  a: Choices,
  b: Choices,
  tokens: number,
  counts: (t: number) => boolean = () => true,
): ChoiceChange {
  const [firstA, firstB] = [firstChoices(a, tokens), firstChoices(b, tokens)];
  let [counted, changed, assignments, lost] = [0, 0, 0, 0];
  for (let t = 0; t < tokens; t++) {
    if (!counts(t)) continue;
    counted++;
    if (firstA[t] !== firstB[t]) changed++;
    const others = new Set(expertsOf(b, tokens, t).map(([expert]) => expert));
    for (const [expert] of expertsOf(a, tokens, t)) {
      assignments++;
      if (!others.has(expert)) lost++;
    }
  }
  return { first: changed / Math.max(1, counted), assignments: lost / Math.max(1, assignments) };
}
