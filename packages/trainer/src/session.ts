// A model on a device with its optimizer state, and the programs that train and evaluate it. One micro-batch a step is one
// program; with gradient accumulation a step is three kinds of programs over one state: the first micro-batch stores its
// gradients, the others add theirs, and the last program updates.

import { type BatchTensors, type Model, moeLayers, type TrunkParameters } from "@webmoe/model";
import { averageParameters, initOptimizer, optimize } from "@webmoe/nn";
import {
  addInPlace,
  allocate,
  balance,
  compile,
  constant,
  copyInto,
  type DeviceTensor,
  f32,
  gradients,
  initialize,
  key,
  leaves,
  type MapLeaves,
  readTensor,
  release,
  reshape,
  scale,
  spec,
  stack,
  type Tensor,
  type TensorsOf,
  writeTensor,
} from "@webmoe/tensor";
import type { DispatchTime, Gpu, ProgramStats } from "@webmoe/webgpu";
import { explodedLoss } from "./bad-steps";
import { mergeTrees, splitFrozen } from "./freeze";
import { type MemoryUse, memoryUse } from "./memory-use";
import { optimizerOptions } from "./optimizer-options";
import type { SessionState } from "./session-state";
import type { TrainSettings } from "./settings";
import { stepNoise } from "./step-noise";
import { type StepValues, stepValues } from "./step-values";

type Parameters = TrunkParameters<DeviceTensor>;

/** The arrays that a model's `inputs` ask for. */
export type HostBatch = Record<string, Uint32Array>;

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
  const { context } = model.config;
  const { size, accumulate } = settings.batch;
  const initial = model.init(key(settings.seed));
  // What is frozen lies in arenas of its own, which no optimizer walks; no gradient of it is asked for, so none is computed.
  const freeze = settings.freeze ?? [];
  const parts = splitFrozen(initial.parameters, freeze);
  // Memory comes first and its values while the programs compile, which need to know where it is and not what it holds.
  const fills: (() => Promise<void>)[] = [];
  const allocated = async <T>(tree: T, label: string) => {
    const values = (await allocate(gpu, tree, label)) as MapLeaves<T, DeviceTensor>;
    fills.push(() => initialize(gpu, values, tree, label));
    return values;
  };
  const learned = (await allocated(parts.learned, "parameters")) as Parameters;
  const frozen = freeze.length > 0 ? await allocated(parts.frozen, "frozen parameters") : learned;
  const parameters = mergeTrees(learned, frozen as Parameters);
  /** Of a tree like the parameters, what learns. */
  const learning = <T>(tree: T): T => splitFrozen(tree, freeze).learned;
  const buffers = (await allocated(initial.buffers, "router buffers")) as SessionState["buffers"];
  const { precision } = settings;
  // Where operands are rounded to f16, gradients are computed of a scaled loss.
  const lossScale = precision === "mixed" ? FIRST_LOSS_SCALE : undefined;
  const optimizer = optimizerOptions(settings);
  const { decay } = settings.ema;
  const state: SessionState = {
    parameters,
    optimizer: await initOptimizer(gpu, learned, { ...optimizer, lossScale }),
    buffers,
    averaged: decay > 0 ? ((await allocated(initial.parameters, "averaged weights")) as Parameters) : undefined,
  };

  const inputs = model.inputs(size);
  const noise = stepNoise(model, settings.seed);
  const differentiate = ({ parameters, optimizer }: TensorsOf<SessionState>, total: Tensor) => {
    const seed = optimizer.lossScale && reshape(optimizer.lossScale.scale, total.shape);
    return gradients(total, learning(parameters), { seed });
  };
  const update = (
    handles: TensorsOf<SessionState>,
    grads: MapLeaves<Parameters, Tensor>,
    { lr, loss }: Record<"lr" | "loss", Tensor>,
  ) => {
    const options = { ...optimizer, limit: { loss, most: explodedLoss(model) } };
    const { gradNorm } = optimize(learning(handles.parameters), grads, handles.optimizer as never, lr, options);
    if (handles.averaged) averageParameters(handles.averaged, handles.parameters, decay);
    const { scale, skipped } = handles.optimizer.lossScale ?? {};
    return { gradNorm, lossScale: scale, skipped };
  };

  const forward = (handles: TensorsOf<SessionState>, given: BatchTensors, training: boolean, loadBefore?: Tensor[]) => {
    const batch = Object.fromEntries(Object.keys(inputs).map((name) => [name, given[name]!]));
    return model.loss(handles.parameters, batch, {
      padded: settings.batch.padded,
      ...(training && noise.of(given)),
      loadBefore,
      buffers: handles.buffers,
      recompute: settings.memory.recompute && training,
      training,
    });
  };
  const applyRouter = (handles: TensorsOf<SessionState>, load: Tensor[]) => {
    if (!model.router.afterStep || !handles.buffers || freeze.includes("router")) return;
    const next = model.router.afterStep({
      ...handles.parameters.router,
      buffers: handles.buffers,
      load: stack(load),
      tokens: accumulate * size * context,
    });
    const values = new Map(leaves<Tensor>(next));
    for (const [path, target] of leaves<Tensor>(handles.buffers)) {
      const value = values.get(path);
      if (value && value !== target) copyInto(target, value);
    }
  };
  // Together, so that the pipelines of all programs compile in parallel; those of a step are the most.
  const [run, evaluation] = await Promise.all([
    accumulate === 1 ? oneProgram() : threePrograms(),
    compile(gpu, { label: "evaluate", state, inputs, precision }, (handles, batch) => {
      const { loss, load, scores } = forward(handles, batch, false);
      return { loss, load, scores };
    }),
    ...fills.map((fill) => fill()),
  ]);
  return {
    gpu,
    state,
    stats: run.stats,
    memory: memoryUse({ state, sums: run.sums, step: run.programs, evaluation: evaluation.stats }),
    flops: run.flops,
    step: run.step,
    profile: run.profile,
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
      run.close();
      evaluation.close();
      release(state);
    },
  };

  async function oneProgram() {
    const program = await compile(
      gpu,
      { label: "step", state, inputs: { ...inputs, ...noise.inputs, lr: f32() }, precision },
      (handles, { lr, ...batch }) => {
        const { total, loss, layers, load, dropped } = forward(handles, batch, true);
        const updated = update(handles, differentiate(handles, total), { lr, loss });
        applyRouter(handles, load);
        if (!routing) return { loss, ...updated, ...NO_ROUTING };
        const [balance, entropy] = [layers.map((layer) => layer.balanceLoss), layers.map((layer) => layer.entropy)];
        return { loss, ...updated, balance, entropy, load, dropped };
      },
    );
    return {
      stats: program.stats,
      programs: [program.stats],
      flops: program.stats.flops,
      sums: undefined,
      close: () => program.close(),
      profile: ([batch]: HostBatch[], lr: number) => program.profile({ ...batch!, ...noise.keys(0, 0), lr }),
      async step([batch]: HostBatch[], lr: number, step?: number) {
        const ticket = await program.run({ ...batch!, ...noise.keys(step, 0), lr });
        return { values: ticket.outputs.then((o) => stepValues([o], o)) };
      },
    };
  }

  // A step's balance is that of all its micro-batches (Qiu et al. 2025, arXiv 2501.11873): each sees the load so far, and what
  // is reported is E * sum_e f_e p_e of the whole step's load and probabilities.
  async function threePrograms() {
    const perExpert = moeLayers(model.config).map(() => spec([model.config.moe.experts]));
    const sums = {
      gradients: (await allocate(gpu, learned, "accumulated gradients")) as Parameters,
      loss: await allocate(gpu, spec([]), "accumulated loss"),
      load: await allocate(gpu, perExpert, "expert load"),
      probabilities: await allocate(gpu, perExpert, "expert probabilities"),
    };
    const all = { ...state, sums };
    const part = (label: string, put: (target: Tensor, x: Tensor) => void) =>
      compile(gpu, { label, state: all, inputs: { ...inputs, ...noise.inputs }, precision }, (handles, batch) => {
        const { sums } = handles;
        const before = put === addInPlace ? sums.load : undefined;
        const { total, loss, load, dropped, layers } = forward(handles, batch, true, before);
        const grads = new Map(leaves<Tensor>(differentiate(handles, scale(total, 1 / accumulate))));
        for (const [path, target] of leaves<Tensor>(sums.gradients)) put(target, grads.get(path)!);
        put(sums.loss, scale(loss, 1 / accumulate));
        for (const [layer, target] of sums.load.entries()) put(target, load[layer]!);
        if (!routing) return { loss, ...NO_ROUTING };
        for (const [layer, target] of sums.probabilities.entries()) put(target, layers[layer]!.probabilities);
        return { loss, load, dropped, entropy: layers.map((layer) => layer.entropy) };
      });
    const applying = (handles: TensorsOf<typeof all>, { lr }: { lr: Tensor }) => {
      const { gradients, loss, load, probabilities } = handles.sums;
      const updated = update(handles, gradients, { lr, loss });
      applyRouter(handles, load);
      if (!routing) return { ...updated, balance: [] };
      const tokens = constant(lr.trace, [], accumulate * size * context);
      const losses = load.map(
        (counts, layer) => balance(reshape(probabilities[layer]!, [1, counts.size]), counts, tokens).loss,
      );
      return { ...updated, balance: losses };
    };
    const [first, further, apply] = await Promise.all([
      part("first micro-batch", copyInto),
      part("further micro-batch", addInPlace),
      compile(gpu, { label: "apply", state: all, inputs: { lr: f32() } }, applying),
    ]);
    return {
      stats: first.stats,
      programs: [first.stats, further.stats, apply.stats],
      flops: first.stats.flops + (accumulate - 1) * further.stats.flops + apply.stats.flops,
      sums,
      close() {
        for (const program of [first, further, apply]) program.close();
        release(sums);
      },
      async profile(batches: HostBatch[], lr: number) {
        const times = [];
        for (const [index, batch] of batches.entries()) {
          times.push(...(await (index === 0 ? first : further).profile({ ...batch, ...noise.keys(0, index) })));
        }
        return [...times, ...(await apply.profile({ lr }))];
      },
      async step(batches: HostBatch[], lr: number, step?: number) {
        const tickets = [];
        for (const [micro, batch] of batches.entries()) {
          tickets.push(await (micro === 0 ? first : further).run({ ...batch, ...noise.keys(step, micro) }));
        }
        const applied = await apply.run({ lr });
        const values = Promise.all([applied.outputs, ...tickets.map((ticket) => ticket.outputs)]).then(
          ([updated, ...parts]) => stepValues(parts, updated),
        );
        values.catch(() => {});
        return { values };
      },
    };
  }
}

/** In place of what routers did, where nobody asks. */
const NO_ROUTING: { balance: Tensor[]; entropy: Tensor[]; load: Tensor[]; dropped?: Tensor[] } = {
  balance: [],
  entropy: [],
  load: [],
};
