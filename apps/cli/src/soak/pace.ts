// How the beginning of a long run is compared with its end, on a machine that others share.
//
// What the run itself does to its speed (a list that grows, memory that fragments, work that gets more) is in every stretch of steps
// from then on, the fastest ones too. Others on the machine, who take caches, memory or half of a core for seconds at a time, and the
// process's own pauses are in some stretches and not in others, and never make one faster than it is alone. So quarters are compared
// by their fastest tenth. Stretches are short, since quiet moments are; a tenth of a quarter are still 25 of them, so that one which
// catches up on two queued steps after a pause decides nothing.
//
// The quarters' fastest tenths are three quarters of the run apart. A run that changes evenly, by the factor (1 + c) over all of
// its length, changes by (1 + c)^(3/4) between them, and what is reported is c. A change that comes at once somewhere between is
// so overstated by a third, which errs on the strict side.

import { mean, quantile } from "../statistics";
import type { Stretch } from "./step-timer";

/** How fast steps were, in tokens a second. */
export interface Pace {
  /** What the fastest tenth of the stretches reached: the run alone. */
  fast: number;
  /** Of the stretch in the middle: half of them were faster. */
  median: number;
  /** Of all stretches together. */
  mean: number;
}

/** How fast a run was in its first and in its last quarter. */
export interface Paces {
  first: Pace;
  last: Pace;
  /** How much faster the run became from beginning to end, a share: of the fastest tenths. */
  change: number;
}

/** Compare the beginning of a run with its end. */
export function compareQuarters(stretches: Stretch[], tokensPerStep: number): Paces {
  const quarter = Math.floor(stretches.length / 4);
  if (quarter === 0) throw new Error(`soak: needs four stretches of steps to compare, got ${stretches.length}`);
  const [first, last] = [
    paceOf(stretches.slice(0, quarter), tokensPerStep),
    paceOf(stretches.slice(-quarter), tokensPerStep),
  ];
  return { first, last, change: (last.fast / first.fast) ** (4 / 3) - 1 };
}

function paceOf(stretches: Stretch[], tokensPerStep: number): Pace {
  const speeds = stretches.map(({ steps, seconds }) => (tokensPerStep * steps) / seconds);
  const sum = (of: keyof Stretch) => stretches.length * mean(stretches.map((stretch) => stretch[of]));
  return {
    fast: quantile(speeds, 0.9),
    median: quantile(speeds, 0.5),
    mean: (tokensPerStep * sum("steps")) / sum("seconds"),
  };
}
