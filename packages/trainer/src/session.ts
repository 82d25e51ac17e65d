// A model on a device with its optimizer state, and the programs that train and evaluate it: one program a step where it has one
// micro-batch (whole-step.ts), three over one state with gradient accumulation (accumulated-step.ts).

import type { Model, TrunkParameters } from "@webmoe/model";
import { initOptimizer } from "@webmoe/nn";
import {
  allocate,
  compile,
  type DeviceTensor,
  initialize,
  key,
  leaves,
  type MapLeaves,
  readTensor,
  release,
  writeTensor,
} from "@webmoe/tensor";
import type { DispatchTime, Gpu, ProgramStats } from "@webmoe/webgpu";
import { mergeTrees, splitFrozen } from "./freeze";
import { optimizerOptions } from "./optimizer-options";
import { type MemoryUse, memoryUse } from "./planning/memory-use";
import type { SessionState } from "./session-state";
import type { TrainSettings } from "./settings";
import { accumulatedStep } from "./step/accumulated-step";
import { stepParts } from "./step/step-parts";
import type { HostBatch } from "./step/step-programs";
import type { StepValues } from "./step/step-values";
import { wholeStep } from "./step/whole-step";

type Parameters = TrunkParameters<DeviceTensor>;

/** Where the loss scale of mixed precision starts. */
const FIRST_LOSS_SCALE = 2 ** 16;

/** What a model makes of a batch. */
export interface Evaluation {
  /** Mean cross entropy in nats a target. */
  loss: number;
  /** Assignments of each expert in each MoE layer. */
  load: number[][];
  /** Of a classifier: the scores of each sequence's classes, [B, C]. */
  scores?: Float32Array;
}

/** A model being trained on one device. */
export interface Session {
  /** The device that it trains on. */
  readonly gpu: Gpu;
  /** What a checkpoint keeps, on the device. */
  readonly state: SessionState;
  /** Of the program that a step runs (of the first micro-batch under accumulation). */
  readonly stats: ProgramStats;
  /** Bytes on the device by what they are for. */
  readonly memory: MemoryUse;
  /** Floating-point operations that the programs of one step do, those of idle experts' padding included. */
  readonly flops: number;
  /**
   * Queue one step on its micro-batches; resolves when the queue has room, with the figures to come. Models that make noise
   * (`moe.jitter`) need the step's number, of which it is a function.
   */
  step(batches: HostBatch[], lr: number, step?: number): Promise<{ values: Promise<StepValues> }>;
  /** What the model makes of a batch, without training. */
  evaluate(batch: HostBatch): Promise<Evaluation>;
  /** With `ema.decay`: let the average start from the parameters as they are. */
  startAverage(): Promise<void>;
  /** Run one step with a timestamp around every kernel, in their order. */
  profile(batches: HostBatch[], lr: number): Promise<DispatchTime[]>;
  /** Free the programs and the state. */
  close(): void;
}

/** What a session does besides training. */
export interface SessionOptions {
  /**
   * Whether steps say what their routers did. Default true; without it `balance`, `entropy` and `load` are empty, and kernels
   * that only they need are left out.
   */
  routing?: boolean;
}

/** Put a model on a device with fresh parameters and compile its programs. */
export async function openSession(
  gpu: Gpu,
  model: Model,
  settings: TrainSettings,
  { routing = true }: SessionOptions = {},
): Promise<Session> {
  const initial = model.init(key(settings.seed));
  // What is frozen lies in arenas of its own, which no optimizer walks; no gradient of it is asked for, so none is computed.
  const freeze = settings.freeze ?? [];
  const split = splitFrozen(initial.parameters, freeze);
  // Memory comes first and its values while the programs compile, which need to know where it is and not what it holds.
  const fills: (() => Promise<void>)[] = [];
  const allocated = async <T>(tree: T, label: string) => {
    const values = (await allocate(gpu, tree, label)) as MapLeaves<T, DeviceTensor>;
    fills.push(() => initialize(gpu, values, tree, label));
    return values;
  };
  const learned = (await allocated(split.learned, "parameters")) as Parameters;
  const frozen = freeze.length > 0 ? await allocated(split.frozen, "frozen parameters") : learned;
  const parameters = mergeTrees(learned, frozen as Parameters);
  const buffers = (await allocated(initial.buffers, "router buffers")) as SessionState["buffers"];
  const { precision } = settings;
  // Where operands are rounded to f16, gradients are computed of a scaled loss.
  const lossScale = precision === "mixed" ? FIRST_LOSS_SCALE : undefined;
  const state: SessionState = {
    parameters,
    optimizer: await initOptimizer(gpu, learned, { ...optimizerOptions(settings), lossScale }),
    buffers,
    averaged:
      settings.ema.decay > 0 ? ((await allocated(initial.parameters, "averaged weights")) as Parameters) : undefined,
  };

  const parts = stepParts(model, settings);
  const subject = { gpu, model, settings, state, learned, parts, routing };
  // Together, so that the pipelines of all programs compile in parallel; training need not wait for those of validation alone.
  const [programs, evaluation] = await Promise.all([
    settings.batch.accumulate === 1 ? wholeStep(subject) : accumulatedStep(subject),
    compile(gpu, { label: "evaluate", state, inputs: parts.inputs, precision, early: true }, (handles, batch) => {
      const { loss, load, scores } = parts.forward(handles, batch, false);
      return { loss, load, scores };
    }),
    ...fills.map((fill) => fill()),
  ]);
  return {
    gpu,
    state,
    stats: programs.stats[0]!,
    memory: memoryUse({ state, sums: programs.sums, step: programs.stats, evaluation: evaluation.stats }),
    flops: programs.flops,
    step: programs.step,
    profile: programs.profile,
    async evaluate(batch) {
      const { loss, load, scores } = await (await evaluation.run(batch)).outputs;
      return {
        loss: loss[0]!,
        load: load.map((counts) => [...counts]),
        ...(scores && { scores: scores as Float32Array }),
      };
    },
    async startAverage() {
      const values = new Map(leaves<DeviceTensor>(parameters));
      for (const [path, average] of leaves<DeviceTensor>(state.averaged)) {
        writeTensor(average, await readTensor(values.get(path)!));
      }
    },
    close() {
      programs.close();
      evaluation.close();
      release(state);
    },
  };
}
