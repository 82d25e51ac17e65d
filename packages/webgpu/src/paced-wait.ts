// Dawn's binding for Node asks the driver what is done once in every turn of the event loop, and makes a function each time that
// only a full collection of garbage frees. While a software adapter works that is a core that spins and that the adapter could
// use. So the turns are made longer: the thread sleeps in each, the longer it has waited.

/**
 * The share of a wait by which its end may be noticed late, and milliseconds of a sleep. A system sleeps some 0.06 ms too
 * long, so that waits of less than half a millisecond are better spun through.
 */
const PACE = { share: 1 / 8, least: 0.06, most: 1 };

/** A function that waits for a promise of Dawn and lets the thread sleep meanwhile, for microseconds at a time. */
export function pacedWait(): <T>(work: Promise<T>) => Promise<T> {
  const nothing = new Int32Array(new SharedArrayBuffer(4));
  let waiting = 0;
  let turning = false;
  let since = 0;

  function turn() {
    turning = waiting > 0;
    if (!turning) return;
    const sleep = Math.min(PACE.most, PACE.share * (performance.now() - since));
    if (sleep >= PACE.least) Atomics.wait(nothing, 0, 0, sleep);
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
