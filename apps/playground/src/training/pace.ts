import { deferred } from "./deferred";

/** When the runs of a worker may step: pauses, single steps, and turns where two race. */
export interface Pace {
  /** Undefined where the run may step; else a promise to wait for before asking again. */
  before(lane: number): Promise<void> | undefined;
  /** The run's step is done: the turn is the next one's. */
  stepped(lane: number): void;
  /** The run lost the step it was in and will make it again. */
  lost(lane: number): void;
  /** Seconds that the run's own steps took. */
  seconds(lane: number): number;
  pause(): void;
  resume(): void;
  /** Allow one step of every run. */
  step(): void;
  /** Make everyone who waits ask again. */
  wake(): void;
}

/** Let `lanes` runs step, one after the other where there are several. */
export function pace(lanes: number): Pace {
  let changed = deferred();
  let paused = false;
  /** Steps that a pause still lets through. */
  let allowed = 0;
  let turn = 0;
  let stepping = false;
  let since = 0;
  const seconds = new Array<number>(lanes).fill(0);
  const wake = () => {
    const { resolve } = changed;
    changed = deferred();
    resolve();
  };
  return {
    before(lane) {
      const raced = lanes > 1 && (turn !== lane || stepping);
      if (raced || (paused && allowed === 0)) return changed.promise;
      if (paused) allowed--;
      stepping = true;
      since ||= performance.now();
      return undefined;
    },
    stepped(lane) {
      const now = performance.now();
      seconds[lane]! += (now - since) / 1000;
      since = lanes > 1 || paused ? 0 : now;
      stepping = false;
      turn = (lane + 1) % lanes;
      wake();
    },
    lost(lane) {
      if (turn === lane) stepping = false;
      since = 0;
    },
    seconds: (lane) => seconds[lane]!,
    pause() {
      paused = true;
      allowed = 0;
    },
    resume() {
      paused = false;
      since = 0;
      wake();
    },
    step() {
      allowed += lanes;
      wake();
    },
    wake,
  };
}
