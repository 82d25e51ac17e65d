// The clock of a GPU moves, by half within seconds on some machines, so figures that were taken one after the other cannot be
// compared. Whatever is compared is measured in turns: a round has every way once, the next round the other way about,
// and what is said of two ways is the median over rounds of their ratio.

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

/** The value below which a share of the others lies, between two of them where it falls there. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const above = sorted[Math.min(below + 1, sorted.length - 1)]!;
  return sorted[below]! + (place - below) * (above - sorted[below]!);
}

/** What figures are of others, round by round: the median of their ratios, and the quarter and the three quarters. */
export function ratioOf(values: readonly number[], others: readonly number[]) {
  const ratios = values.map((value, round) => value / others[round]!);
  return {
    median: quantile(ratios, 0.5),
    spread: [quantile(ratios, 0.25), quantile(ratios, 0.75)] as [low: number, high: number],
  };
}
