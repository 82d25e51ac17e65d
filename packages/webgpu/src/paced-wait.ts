// Dawn's binding for Node asks the driver what is done once in every turn of the event loop, and makes a function each time that
// only a full collection of garbage frees: some 65,000 turns are a collection that takes a tenth of a second, longer than the
// device has work queued. And while a software adapter works, turning takes a core that the adapter could use. So the turns are
// made longer: the thread rests in each, the longer it has waited. It sleeps through a long rest. A short one it spins through, in
// place: a system wakes it some 0.06 ms late.

/** How a wait is paced. */
export interface Pace {
  /** The share of a long wait by which its end may be noticed late. */
  share: number;
  /** Milliseconds of the rests in a short one; the first are a quarter of the wait, so that an end that is there is seen at once. */
  short: number;
  /** Milliseconds of the longest rest. */
  most: number;
}

/** Milliseconds of the shortest sleep. */
const SHORTEST_SLEEP = 0.06;

/** Spins through half a millisecond: a software adapter is slow, and wants the core. */
export const SOFTWARE_PACE: Pace = { share: 1 / 8, short: 0.04, most: 1 };

/** Spins through a millisecond: a token or a step of a small model is waited for to the end of it. */
export const HARDWARE_PACE: Pace = { share: 1 / 16, short: 0.04, most: 0.5 };

/** A function that waits for a promise of Dawn and lets the thread rest meanwhile, for microseconds at a time. */
export function pacedWait({ share, short, most }: Pace): <T>(work: Promise<T>) => Promise<T> {
  const nothing = new Int32Array(new SharedArrayBuffer(4));
  let waiting = 0;
  let turning = false;
  let since = 0;

  function rest(milliseconds: number) {
    if (milliseconds >= SHORTEST_SLEEP) {
      Atomics.wait(nothing, 0, 0, milliseconds);
      return;
    }
    const end = performance.now() + milliseconds;
    // The clock makes garbage each time that it is read.
    while (performance.now() < end) for (let i = 0; i < 300; i++) Atomics.load(nothing, 0);
  }

  function turn() {
    turning = waiting > 0;
    if (!turning) return;
    const waited = performance.now() - since;
    rest(Math.min(most, Math.max(share * waited, Math.min(short, waited / 4))));
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
