import { GpuError } from "./errors";
import type { Gpu } from "./gpu";

/**
 * A device to plan on: what is allocated there counts in `memoryUsed` and takes no memory, and programs are traced and planned
 * for the target and limits of `gpu`, and cannot run. So the memory of anything is known before any of it is there.
 */
export function planningGpu(gpu: Pick<Gpu, "adapter" | "features" | "limits" | "target" | "flopsPerSubmit">): Gpu {
  const { adapter, features, limits, target, flopsPerSubmit } = gpu;
  const refuse = (): never => {
    throw new GpuError("planning: nothing can be made or run on a planning device: open a real one");
  };
  return {
    get device() {
      return refuse();
    },
    planning: new Map(),
    adapter,
    features,
    limits,
    target,
    flopsPerSubmit,
    memoryBudget: Number.POSITIVE_INFINITY,
    memoryUsed: 0,
    pipelines: new Map(),
    makePipeline: refuse,
    lost: new Promise(() => {}),
    waitFor: (work) => work,
    check() {},
    close() {},
  };
}
