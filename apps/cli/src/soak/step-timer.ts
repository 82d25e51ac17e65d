/** Steps, and the seconds that they took. */
export interface Stretch {
  steps: number;
  seconds: number;
}

/** Adds up the time of steps. */
export interface StepTimer {
  /** A step has ended. */
  step(): void;
  /** What ended right before was no step. */
  pause(): void;
  /** The steps since the last call, with their time; undefined where there was none. */
  take(): Stretch | undefined;
}

/**
 * Times steps from the end of one to the end of the next, and leaves out pauses: what comes after a step that is none, as a
 * checkpoint, and the step behind it, which has the device to itself and nothing queued before it.
 */
export function stepTimer(now: () => number = () => performance.now() / 1000): StepTimer {
  let since: number | undefined;
  let [steps, seconds] = [0, 0];
  return {
    step() {
      const at = now();
      if (since !== undefined) {
        steps++;
        seconds += at - since;
      }
      since = at;
    },
    pause() {
      since = undefined;
    },
    take() {
      const stretch = steps > 0 ? { steps, seconds } : undefined;
      [steps, seconds] = [0, 0];
      return stretch;
    },
  };
}
