// Dawn compiles the shaders of a device on two threads, however many cores there are, and a driver takes up to a second for one.
// But drivers keep what they compiled, for any device. So where shaders are long in coming, more devices are opened that do
// nothing but compile, from the last shader backwards. What they were done with, the driver hands out when its turn comes:
//
//   device    a ─── b ─── c ─── d ─── e f g h i j        compiles, then loads
//   helpers               j ─ i ─ h ─ g ─ f ─ e
//
// Where a driver keeps nothing, the device compiles all of them, as it would have without helpers.

import type { Gpu, MakePipeline } from "./gpu";

/** Threads that Dawn compiles on for a device. */
const THREADS = 2;

/** Milliseconds after which a driver that has handed out nothing is compiling. */
const PATIENCE = 100;

/** `makePipeline` of a device with up to so many helpers of its kind; `open` opens one. */
export function compileBeside(device: GPUDevice, open: () => Promise<GPUDevice>, helpers: number): Gpu["makePipeline"] {
  /** In the order of Dawn's queue, so that its threads are busy with the first ones. */
  const pending: MakePipeline[] = [];
  const started = new Set<MakePipeline>();
  let watching = false;

  const next = () => pending.slice(THREADS).findLast((make) => !started.has(make));

  async function compileOn(helper: GPUDevice) {
    helper.onuncapturederror = () => {}; // the device that runs a shader says what is wrong with it
    const thread = async () => {
      for (let make = next(); make; make = next()) {
        started.add(make);
        await make(helper).catch(() => {});
      }
    };
    await Promise.all(Array.from({ length: THREADS }, thread));
    helper.destroy();
  }

  /** Opens helpers one after another, as each keeps this thread busy for a while. */
  async function callHelp() {
    const working: Promise<void>[] = [];
    try {
      while (next() && working.length < helpers) working.push(compileOn(await open()));
    } catch {
      // Without help it takes longer.
    }
    await Promise.all(working);
  }

  async function watch() {
    while (pending.length > 0) {
      const first = pending[0];
      await new Promise((resolve) => setTimeout(resolve, PATIENCE));
      if (pending[0] === first) await callHelp();
    }
    watching = false;
  }

  return async (make) => {
    pending.push(make);
    // Once all have been asked for, which keeps this thread busy too.
    if (!watching) setImmediate(watch);
    watching = true;
    try {
      return await make(device);
    } finally {
      pending.splice(pending.indexOf(make), 1);
      started.delete(make);
    }
  };
}
