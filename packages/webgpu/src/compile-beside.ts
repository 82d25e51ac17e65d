// Dawn compiles the shaders of a device on two threads, however many cores there are, and a driver takes up to a second for one.
// But drivers keep what they compiled, for any device. So where shaders are long in coming, more devices are opened that do
// nothing but compile. All take from one list, so that no two compile the same; what a helper is done with, the driver hands
// to the device at once:
//
//   list      a b c d e f g h i j
//   device    a ──── b ── h ─ c d e f g i j      compiles, then loads
//   helpers     c ──── f ── i ─
//               d ── e ── g ── j ─
//
// Where a driver keeps nothing, the device compiles all of them.

import type { Gpu, MakePipeline } from "./gpu";

/** Shaders that a device is given at once: one for each thread of Dawn's, and as many that wait, without which one of them sleeps. */
const AT_ONCE = 4;

/** Milliseconds after which a driver that has handed out nothing is compiling. */
const PATIENCE = 60;

/** A pipeline that the device is to be given. */
interface Job {
  make: MakePipeline;
  resolve(pipeline: GPUComputePipeline | Promise<GPUComputePipeline>): void;
  /** Whether a helper has begun with it, or is done. */
  helped?: "begun" | "done";
}

/** `makePipeline` of a device with up to so many helpers of its kind; `open` opens one. */
export function compileBeside(device: GPUDevice, open: () => Promise<GPUDevice>, helpers: number): Gpu["makePipeline"] {
  const waiting: Job[] = [];
  let making = 0;
  /** When pipelines arrived lately. A driver that has kept them is asked for ever more at once, as each takes it a moment. */
  let arrivals: number[] = [];
  let watching = false;

  function makeNext() {
    while (making < AT_ONCE + arrivals.length) {
      const job = waiting.find(({ helped }) => helped === "done") ?? waiting.find(({ helped }) => !helped);
      if (!job) return;
      waiting.splice(waiting.indexOf(job), 1);
      making++;
      const made = job.make(device);
      made
        .catch(() => {}) // whoever asked for it is told
        .finally(() => {
          making--;
          arrivals.push(performance.now());
          forget();
          makeNext();
        });
      job.resolve(made);
    }
  }

  function forget() {
    const since = performance.now() - PATIENCE;
    arrivals = arrivals.filter((time) => time >= since);
  }

  const unhelped = () => waiting.find(({ helped }) => !helped);

  async function compileOn(helper: GPUDevice) {
    helper.onuncapturederror = () => {}; // the device that runs a shader says what is wrong with it
    const compileNext = async () => {
      for (let job = unhelped(); job; job = unhelped()) {
        job.helped = "begun";
        await job.make(helper).catch(() => {});
        job.helped = "done";
        makeNext();
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, compileNext));
    helper.destroy();
  }

  /** Opens helpers one after another, as each keeps this thread busy for a while. */
  async function callHelp() {
    const working: Promise<void>[] = [];
    try {
      while (unhelped() && working.length < helpers) working.push(compileOn(await open()));
    } catch {
      // Without help it takes longer.
    }
    await Promise.all(working);
  }

  async function watch() {
    watching = true;
    while (unhelped()) {
      await new Promise((resolve) => setTimeout(resolve, PATIENCE));
      await new Promise(setImmediate); // what arrived while this thread was busy
      forget();
      if (arrivals.length === 0) await callHelp();
    }
    watching = false;
  }

  return (make) =>
    new Promise((resolve) => {
      waiting.push({ make, resolve });
      makeNext();
      if (!watching) watch();
    });
}
