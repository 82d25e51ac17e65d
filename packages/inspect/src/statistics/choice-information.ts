import { shuffle } from "./shuffle";

/** A choice that was not made. */
export const NO_CHOICE = -1;

/** How much one layer's choice tells about another's. */
export interface ChoiceInformation {
  /** I(a; b) in nats, from the table of how often each pair of choices occurs. */
  raw: number;
  /** The mean and the standard deviation of the same with the tokens of b permuted: what chance alone gives. */
  chance: number;
  spread: number;
  /** raw - chance */
  corrected: number;
}

/** sum over i, j of n_ij / n ln(n n_ij / (n_i n_j)), in nats: the mutual information of two lists of classes below `classes`. */
export function mutualInformation(a: ArrayLike<number>, b: ArrayLike<number>, classes: number): number {
  const joint = new Uint32Array(classes * classes);
  const [countA, countB] = [new Uint32Array(classes), new Uint32Array(classes)];
  for (let t = 0; t < a.length; t++) {
    joint[a[t]! * classes + b[t]!]!++;
    countA[a[t]!]!++;
    countB[b[t]!]!++;
  }
  let information = 0;
  joint.forEach((count, cell) => {
    if (count === 0) return;
    const expected = (countA[Math.floor(cell / classes)]! * countB[cell % classes]!) / a.length;
    information += (count / a.length) * Math.log(count / expected);
  });
  return Math.max(0, information);
}

/**
 * The mutual information of two layers' choices over tokens, and what remains of it above chance. Tokens where either chose
 * nothing are left out. Permutations are of a fixed seed.
 */
export function choiceInformation(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  classes: number,
  { permutations = 100, seed = 1 }: { permutations?: number; seed?: number } = {},
): ChoiceInformation {
  const both = Array.from({ length: a.length }, (_, t) => t).filter((t) => a[t] !== NO_CHOICE && b[t] !== NO_CHOICE);
  if (both.length === 0) return { raw: 0, chance: 0, spread: 0, corrected: 0 };
  const left = Int32Array.from(both, (t) => a[t]!);
  const right = Int32Array.from(both, (t) => b[t]!);
  const raw = mutualInformation(left, right, classes);
  const random = shuffle(seed);
  const nulls = Array.from({ length: permutations }, () => {
    random(right);
    return mutualInformation(left, right, classes);
  });
  const chance = nulls.reduce((sum, value) => sum + value, 0) / permutations;
  const spread = Math.sqrt(
    nulls.reduce((sum, value) => sum + (value - chance) ** 2, 0) / Math.max(1, permutations - 1),
  );
  return { raw, chance, spread, corrected: raw - chance };
}
