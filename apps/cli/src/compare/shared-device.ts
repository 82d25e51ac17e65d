import type { Gpu } from "@webmoe/webgpu";
import { openGpu } from "@webmoe/webgpu/node";

/** One device for run after run. */
export interface SharedDevice {
  /** The device for a run, which may close it: it stays open for the next, and counts each run's memory alone. */
  lend(): Promise<Gpu>;
  readonly isOpen: boolean;
  close(): void;
}

/** A device that is opened when it is first asked for, and again where it was lost. */
export function sharedDevice(open: () => Promise<Gpu> = openGpu): SharedDevice {
  let gpu: Gpu | undefined;
  const close = () => {
    gpu?.close();
    gpu = undefined;
  };
  return {
    async lend() {
      if (gpu && !isUsable(gpu)) close();
      gpu ??= await open();
      return Object.assign(Object.create(gpu) as Gpu, { memoryUsed: 0, close() {} });
    },
    get isOpen() {
      return gpu !== undefined;
    },
    close,
  };
}

function isUsable(gpu: Gpu): boolean {
  try {
    gpu.check();
    return true;
  } catch {
    return false;
  }
}
