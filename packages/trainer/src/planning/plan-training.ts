import type { Model } from "@webmoe/model";
import { type CompiledKernel, type Gpu, planningGpu } from "@webmoe/webgpu";
import { openSession } from "../session";
import type { TrainSettings } from "../settings";
import type { MemoryUse } from "./memory-use";

/** What training takes of a device, known before anything is allocated. */
export interface TrainingPlan {
  /** What training holds on the device at once. */
  memory: MemoryUse;
  /** Floating-point operations of the kernels of a step. */
  flops: number;
  /** Kernel calls of the program that a step runs (of the first micro-batch under accumulation). */
  dispatches: number;
  /** The kernels of each program, in the order in which a session waits for them: validation's come last. */
  kernels: CompiledKernel[][];
  /** How long it took to make the plan, about as long as a session takes before its kernels compile. */
  seconds: number;
}

/** Plan the training of a model on a device. Throws `OutOfMemoryError` where a tensor is larger than the device can bind. */
export async function planTraining(gpu: Gpu, model: Model, settings: TrainSettings): Promise<TrainingPlan> {
  const start = performance.now();
  const planning = planningGpu(gpu);
  const { memory, flops, stats } = await openSession(planning, model, settings);
  // Whatever was recorded first: a step that misses kernels is recorded again when they are loaded.
  const { evaluate, ...ofSteps } = Object.fromEntries(planning.planning!);
  return {
    memory,
    flops,
    dispatches: stats.dispatches,
    kernels: [...Object.values(ofSteps), evaluate!],
    seconds: (performance.now() - start) / 1000,
  };
}
