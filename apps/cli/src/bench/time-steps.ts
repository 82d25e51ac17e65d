import { type LanguageModel, measureModel } from "@webmoe/model";
import { type MemoryKind, openWithinMemory } from "@webmoe/trainer";
import type { DispatchTime, Gpu } from "@webmoe/webgpu";
import type { Config } from "../config/schema";
import { median } from "../statistics";
import { countObjects, type ObjectCounts } from "./count-objects";
import { meanEncodeMs } from "./mean-encode";
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
  /** The median over rounds. */
  msPerStep: number;
  /** Milliseconds of a step in each round. */
  rounds: number[];
  tokensPerSecond: number;
  /** What the host takes of that to encode and submit a step: of means of rounds, the median. */
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

/** Training on random tokens that is timed a stretch of steps at a time. */
export interface TimedSteps {
  /** Train some steps after one that does not count, and return the milliseconds of one. */
  stretch(): Promise<number>;
  /** What steps took that had these milliseconds in each round. */
  result(rounds: number[]): StepResult;
  /** Time every kernel of one step. */
  profile(): Promise<DispatchTime[]>;
  close(): void;
}

/** Steps of a stretch fill this many milliseconds. */
const STRETCH = 100;

/** Open a model for timing and run its first steps. `steps` is the length of a stretch; without it a tenth of a second, at least two. */
export async function openTimedSteps(
  gpu: Gpu,
  model: LanguageModel,
  config: Config,
  steps?: number,
): Promise<TimedSteps> {
  const { lr } = config.optimizer;
  const batches = randomBatches(config);
  const held = gpu.memoryUsed;
  const opened = performance.now();
  const session = await openWithinMemory(gpu, model, config);
  const peakBytes = gpu.memoryUsed - held;
  let step = 0;
  let loss = Number.NaN;
  /** Milliseconds until the figures of the last of some steps are there. */
  const train = async (count: number) => {
    const start = performance.now();
    let last: Promise<{ loss: number }> | undefined;
    for (const end = step + count; step < end; ) ({ values: last } = await session.step(batches(++step), lr));
    ({ loss } = await last!);
    return performance.now() - start;
  };
  await train(1);
  const firstStepMs = performance.now() - opened;
  const lengths: number[] = [];
  const encoding: number[] = [];
  const made: ObjectCounts = { buffers: 0, bindGroups: 0, pipelines: 0, submits: 0 };

  return {
    async stretch() {
      const counts = countObjects(gpu.device);
      // Whoever had the device before has left its caches full of something else.
      const once = await train(1);
      const length = steps ?? Math.max(2, Math.ceil(STRETCH / once));
      const before = { ...session.stats };
      const ms = await train(length);
      encoding.push(meanEncodeMs(before, session.stats));
      const found = counts.stop();
      for (const kind of Object.keys(made) as (keyof ObjectCounts)[]) made[kind] += found[kind];
      lengths.push(length);
      return ms / length;
    },
    result(rounds) {
      const { stats } = session;
      const bytesFor = (wanted: MemoryKind) => session.memory.kinds.find(({ kind }) => kind === wanted)?.bytes ?? 0;
      const size = measureModel(model);
      const tokensPerStep = config.batch.size * config.batch.accumulate * config.model.context;
      const msPerStep = median(rounds);
      const run = lengths.length + sum(lengths);
      return {
        ...subjectOf(gpu, model, config),
        parameters: size.total,
        activeParameters: size.active,
        tokensPerStep,
        flopsPerStep: size.flopsPerToken * tokensPerStep,
        steps: sum(lengths.slice(-rounds.length)),
        msPerStep,
        rounds,
        tokensPerSecond: (tokensPerStep * 1000) / msPerStep,
        encodeMs: median(encoding.slice(-rounds.length)),
        firstStepMs,
        dispatches: stats.dispatches,
        pipelines: stats.pipelines,
        submits: made.submits / run,
        newBuffers: made.buffers / run,
        newBindGroups: made.bindGroups / run,
        newPipelines: made.pipelines / run,
        planBytes: session.memory.total - bytesFor("validation"),
        activationBytes: bytesFor("activations") + bytesFor("logits"),
        peakBytes,
        loss,
      };
    },
    profile: () => session.profile(batches(1), lr),
    close: () => session.close(),
  };
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
