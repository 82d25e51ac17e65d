import { mean, median } from "../statistics";
import type { Stretch } from "./step-timer";

/** How fast steps were, in tokens a second. */
export interface Pace {
  /** Of the stretch in the middle: half of them were faster. */
  median: number;
  /** Of all stretches together, those among them in which the machine did something else. */
  mean: number;
}

/** How fast a run was in its first and in its last quarter. */
export interface Paces {
  first: Pace;
  last: Pace;
  /** How much faster the last is than the first, a share: of stretches in the middle. */
  change: number;
}

/**
 * Compare the beginning of a run with its end. A run that becomes slower does so in all stretches, so its median falls; one
 * that is held up for moments has the same median.
 */
export function compareQuarters(stretches: Stretch[], tokensPerStep: number): Paces {
  const quarter = Math.floor(stretches.length / 4);
  if (quarter === 0) throw new Error(`soak: needs four stretches of steps to compare, got ${stretches.length}`);
  const [first, last] = [
    paceOf(stretches.slice(0, quarter), tokensPerStep),
    paceOf(stretches.slice(-quarter), tokensPerStep),
  ];
  return { first, last, change: last.median / first.median - 1 };
}

/** How fast stretches of steps were. */
export function paceOf(stretches: Stretch[], tokensPerStep: number): Pace {
  const sum = (of: keyof Stretch) => stretches.length * mean(stretches.map((stretch) => stretch[of]));
  return {
    median: tokensPerStep * median(stretches.map(({ steps, seconds }) => steps / seconds)),
    mean: (tokensPerStep * sum("steps")) / sum("seconds"),
  };
}
