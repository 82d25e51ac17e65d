import type { Model } from "@webmoe/model";
import type { StepValues } from "./step-values";

/** Steps in a row that may be no good before a run stops. */
const MOST = 10;

/** What is wrong with a step. */
export interface BadStep {
  /** In words. */
  reason: string;
  /** The first of the bad steps in a row, and how many there are. */
  first: number;
  count: number;
  /** Whether it is a person's concern: in mixed precision an overflow now and then only tells how large the loss scale may be. */
  notable: boolean;
  /** Whether the run should stop. */
  stop: boolean;
}

/** The loss from which on a step has exploded: three times that of knowing nothing, ln(vocabulary). */
export const explodedLoss = ({ config }: Pick<Model, "config">) => 3 * Math.log(Math.max(2, config.vocab));

/**
 * Watches for losses and gradients that are no finite numbers, and for losses that exploded: steps that the device skips. Mode
 * "stop" gives up at the first, "skip" after ten in a row, or where none of the run's `steps` was any good.
 */
export function badStepWatch(mode: "skip" | "stop", model: Pick<Model, "config">, steps = Number.POSITIVE_INFINITY) {
  const exploded = explodedLoss(model);
  let first = 0;
  let count = 0;
  return {
    /** Steps in a row that were bad so far. */
    inRow: () => count,
    /** Undefined for a good step. */
    see(step: number, { loss, gradNorm, lossScale = 1 }: StepValues): BadStep | undefined {
      const reason = !Number.isFinite(loss)
        ? `the loss is ${loss}`
        : loss >= exploded // whose gradients overflow as a matter of course
          ? `the loss exploded to ${Number(loss.toPrecision(3))}`
          : !Number.isFinite(gradNorm)
            ? `the norm of the gradients is ${gradNorm}`
            : undefined;
      if (!reason) {
        count = 0;
        return undefined;
      }
      if (count === 0) first = step;
      count++;
      const notable = !Number.isFinite(loss) || loss >= exploded || lossScale <= 1;
      return { reason, first, count, notable, stop: count >= MOST || (notable && (mode === "stop" || count >= steps)) };
    },
  };
}
