/** What one way of training steps takes more than another. */
export interface StretchCost {
  /** Pairs of a stretch of steps one way and one the other, and how many steps a stretch has. */
  pairs: number;
  stepsPerStretch: number;
  /** Medians over the stretches. */
  msWithout: number;
  msWith: number;
  /** Median over the pairs of what the second way takes more than the first, as a share of the first. */
  cost: number;
  /** The quarter and the three quarters of the pairs' shares. */
  spread: [low: number, high: number];
}

/** How long to measure. */
export interface StretchOptions {
  /** Steps of a stretch; without it as many as fill a fifth of a second. */
  steps?: number;
  pairs?: number;
  /** Milliseconds of steps before those that count. */
  warmUp: number;
}

/** Trains some steps and returns the milliseconds of one. */
export type Stretch = (steps: number) => Promise<number>;

/** Time two ways of training in turns. */
export async function compareStretches(
  without: Stretch,
  having: Stretch,
  { steps, pairs = 21, warmUp }: StretchOptions,
): Promise<StretchCost> {
  for (const way of [without, having]) await way(2);
  for (const start = performance.now(); performance.now() - start < warmUp; ) await having(2);
  const stepsPerStretch = steps ?? Math.max(3, Math.ceil(200 / (await without(5))));
  const times = { without: [] as number[], having: [] as number[] };
  for (let pair = 0; pair < pairs; pair++) {
    // Whoever comes second may find the device warmer, so they take turns.
    for (const first of [pair % 2 === 0, pair % 2 !== 0]) {
      if (first) times.without.push(await without(stepsPerStretch));
      else times.having.push(await having(stepsPerStretch));
    }
  }
  const costs = times.without.map((ms, pair) => times.having[pair]! / ms - 1);
  return {
    pairs,
    stepsPerStretch,
    msWithout: quantile(times.without, 0.5),
    msWith: quantile(times.having, 0.5),
    cost: quantile(costs, 0.5),
    spread: [quantile(costs, 0.25), quantile(costs, 0.75)],
  };
}

/** A cost in words, after what it is the cost of. */
export function costLine(
  { msWithout, msWith, cost, spread, pairs, stepsPerStretch }: StretchCost,
  what: string,
): string {
  const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
  return (
    `${msWithout.toFixed(3)} ms a step without ${what}, ${msWith.toFixed(3)} ms with it: ${percent(cost)} more ` +
    `(half of ${pairs} pairs of ${stepsPerStretch} steps between ${percent(spread[0])} and ${percent(spread[1])})`
  );
}

/** The value below which a share of the others lies. */
function quantile(values: number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.round(share * (sorted.length - 1))]!;
}
