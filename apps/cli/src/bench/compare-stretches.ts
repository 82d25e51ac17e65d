import { median } from "../statistics";
import { ratioOf, roundsByTheClock, turnsOf } from "./turns";

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
  const round = turnsOf([() => without(stepsPerStretch), () => having(stepsPerStretch)]);
  const rounds = await roundsByTheClock(round, { warmUp: 0, enough: (done) => done >= pairs });
  const [first, second] = [0, 1].map((way) => rounds.map((times) => times[way]!)) as [number[], number[]];
  const ratio = ratioOf(second, first);
  return {
    pairs,
    stepsPerStretch,
    msWithout: median(first),
    msWith: median(second),
    cost: ratio.median - 1,
    spread: [ratio.spread[0] - 1, ratio.spread[1] - 1],
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
