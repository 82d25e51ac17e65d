// The clock of a GPU moves, by half within seconds on some machines, so figures that were taken one after the other cannot be
// compared. Whatever is compared is measured in turns: a round has every way once, the next round the other way about,
// and what is said of two ways is the median over rounds of their ratio.

import { median, quantile } from "../statistics";

/** A function that runs the next round: every way once, in their order and every second time from the last to the first. */
export function turnsOf<T>(ways: readonly (() => Promise<T>)[]): () => Promise<T[]> {
  let rounds = 0;
  return async () => {
    const order = [...ways.keys()];
    if (rounds++ % 2 === 1) order.reverse();
    const results: T[] = [];
    for (const way of order) results[way] = await ways[way]!();
    return results;
  };
}

/** How long rounds go on. */
export interface RoundLength {
  /** Milliseconds of rounds before those that count: an idle GPU takes seconds to reach its clock rate. */
  warmUp: number;
  /** Whether so many rounds in so many milliseconds are enough. */
  enough(rounds: number, elapsed: number): boolean;
}

/** Run rounds and return what those that count found. */
export async function roundsByTheClock<T>(round: () => Promise<T>, { warmUp, enough }: RoundLength): Promise<T[]> {
  for (const start = performance.now(); performance.now() - start < warmUp; ) await round();
  const rounds: T[] = [];
  for (const start = performance.now(); !enough(rounds.length, performance.now() - start); ) {
    rounds.push(await round());
  }
  return rounds;
}

/** What figures are of others, round by round: the median of their ratios, and the quarter and the three quarters. */
export function ratioOf(values: readonly number[], others: readonly number[]) {
  const ratios = values.map((value, round) => value / others[round]!);
  return {
    median: median(ratios),
    spread: [quantile(ratios, 0.25), quantile(ratios, 0.75)] as [low: number, high: number],
  };
}
