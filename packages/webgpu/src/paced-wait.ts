// Dawn's binding for Node asks the driver what is done once in every turn of the event loop, and makes a function each time that
// only a full collection of garbage frees: some 65,000 turns are a collection that takes a tenth of a second, longer than the
// device has work queued. And while a software adapter works, turning takes a core that the adapter could use. So the turns are
// made longer: the thread sleeps in each, the longer it has waited.

/** How a wait is paced. A system sleeps some 0.06 ms too long, so that short waits are better spun through. */
export interface Pace {
  /** The share of a wait by which its end may be noticed late; sleeps begin when it is `least`. */
  share: number;
  /** Milliseconds of the shortest and of the longest sleep. */
  least: number;
  most: number;
}

/** Spins through half a millisecond: a software adapter is slow, and wants the core. */
export const SOFTWARE_PACE: Pace = { share: 1 / 8, least: 0.06, most: 1 };

/** Spins through a millisecond: a token or a step of a small model is waited for to the end of it. */
export const HARDWARE_PACE: Pace = { share: 1 / 16, least: 0.06, most: 0.5 };

/** A function that waits for a promise of Dawn and lets the thread sleep meanwhile, for microseconds at a time. */
export function pacedWait({ share, least, most }: Pace): <T>(work: Promise<T>) => Promise<T> {
  const nothing = new Int32Array(new SharedArrayBuffer(4));
  let waiting = 0;
  let turning = false;
  let since = 0;

  function turn() {
    turning = waiting > 0;
    if (!turning) return;
    const sleep = Math.min(most, share * (performance.now() - since));
    if (sleep >= least) Atomics.wait(nothing, 0, 0, sleep);
    setImmediate(turn);
  }

  return async (work) => {
    waiting++;
    since = performance.now(); // what the host did while an earlier wait was open is no waiting
    if (!turning) setImmediate(turn);
    turning = true;
    try {
      return await work;
    } finally {
      waiting--;
      since = performance.now();
    }
  };
}
