import { type LanguageModel, measureModel } from "@webmoe/model";
import { type MemoryKind, openWithinMemory } from "@webmoe/trainer";
import type { DispatchTime, Gpu } from "@webmoe/webgpu";
import type { Config } from "../config/schema";
import { countObjects } from "./count-objects";
import { randomBatches } from "./random-batches";
import { type Subject, subjectOf } from "./subject";

/** What training steps of one configuration take. */
export interface StepResult extends Subject {
  parameters: number;
  activeParameters: number;
  tokensPerStep: number;
  /** Floating-point operations of a step: forward and backward, the active experts alone. */
  flopsPerStep: number;
  /** Timed steps. */
  steps: number;
  msPerStep: number;
  tokensPerSecond: number;
  /** What the host takes of that to encode and submit a step. */
  encodeMs: number;
  /** From nothing to the figures of the first step: initial values and compilation included. */
  firstStepMs: number;
  dispatches: number;
  pipelines: number;
  /** Of one step. */
  submits: number;
  newBuffers: number;
  newBindGroups: number;
  newPipelines: number;
  /** Bytes of the state and of the program that a step runs, and of these what activations take. */
  planBytes: number;
  activationBytes: number;
  /** Bytes of everything on the device, the program that validates included. */
  peakBytes: number;
  loss: number;
}

/** How many steps to time. */
export interface TimeStepsOptions {
  /** Exactly so many; without it at least 20 and, on a GPU, as many as fill a second. */
  steps?: number;
  /** Milliseconds of steps before those that count: an idle GPU takes seconds to reach its clock rate. */
  warmUp: number;
  /** Time every kernel of one more step. */
  profile: boolean;
}

/** Time training steps on random tokens; the counts are those of one steady step. */
export async function timeSteps(
  gpu: Gpu,
  model: LanguageModel,
  config: Config,
  options: TimeStepsOptions,
): Promise<StepResult & { profile?: DispatchTime[] }> {
  const { lr } = config.optimizer;
  const batches = randomBatches(config);
  const opened = performance.now();
  const session = await openWithinMemory(gpu, model, config);
  try {
    await (await session.step(batches(1), lr)).values;
    const firstStepMs = performance.now() - opened;
    let step = 2;
    for (const start = performance.now(); performance.now() - start < options.warmUp; step++) {
      await (await session.step(batches(step), lr)).values;
    }

    const enough = (steps: number, elapsed: number) =>
      options.steps !== undefined ? steps >= options.steps : steps >= 20 && (gpu.adapter.software || elapsed > 1000);
    const counts = countObjects(gpu.device);
    const start = performance.now();
    let steps = 0;
    let values: Promise<{ loss: number }> | undefined;
    while (!enough(steps, performance.now() - start)) {
      ({ values } = await session.step(batches(step + steps), lr));
      steps++;
    }
    const { loss } = await values!;
    const msPerStep = (performance.now() - start) / steps;
    const made = counts.stop();

    const { stats } = session;
    const bytesFor = (wanted: MemoryKind) => session.memory.kinds.find(({ kind }) => kind === wanted)?.bytes ?? 0;
    const size = measureModel(model);
    const tokensPerStep = config.batch.size * config.batch.accumulate * config.model.context;
    return {
      ...subjectOf(gpu, model, config),
      parameters: size.total,
      activeParameters: size.active,
      tokensPerStep,
      flopsPerStep: size.flopsPerToken * tokensPerStep,
      steps,
      msPerStep,
      tokensPerSecond: (tokensPerStep * 1000) / msPerStep,
      encodeMs: stats.encodeMs,
      firstStepMs,
      dispatches: stats.dispatches,
      pipelines: stats.pipelines,
      submits: made.submits / steps,
      newBuffers: made.buffers / steps,
      newBindGroups: made.bindGroups / steps,
      newPipelines: made.pipelines / steps,
      planBytes: session.memory.total - bytesFor("validation"),
      activationBytes: bytesFor("activations") + bytesFor("logits"),
      peakBytes: gpu.memoryUsed,
      loss,
      ...(options.profile && { profile: await session.profile(batches(1), lr) }),
    };
  } finally {
    session.close();
  }
}
