// A model on a device with its optimizer state, and the programs that train and evaluate it. One micro-batch a step is one
// program; with gradient accumulation a step is three kinds of programs over one state: the first micro-batch stores its
// gradients, the others add theirs, and the last program updates.

import type { Batch as HostBatch } from "@webmoe/data";
import { type LanguageModel, type LanguageModelParameters, moeLayers } from "@webmoe/model";
import { type AdamwState, adamw, initAdamw } from "@webmoe/nn";
import {
  addInPlace,
  allocate,
  compile,
  copyInto,
  type DeviceTensor,
  f32,
  gradients,
  key,
  leaves,
  type MapLeaves,
  map,
  materialize,
  release,
  reshape,
  scale,
  spec,
  stack,
  type Tensor,
  type TensorsOf,
  u32,
} from "@webmoe/tensor";
import type { DispatchTime, Gpu, ProgramStats } from "@webmoe/webgpu";
import type { TrainSettings } from "./settings";

type Parameters = LanguageModelParameters<DeviceTensor>;

/** Where the loss scale of mixed precision starts. */
const FIRST_LOSS_SCALE = 2 ** 16;

/** What is in a checkpoint. */
export interface SessionState {
  parameters: Parameters;
  optimizer: AdamwState<Parameters, DeviceTensor, DeviceTensor<"u32">>;
  buffers?: MapLeaves<unknown, DeviceTensor>;
}

/** The figures of one step. */
export interface StepValues {
  /** Mean cross entropy in nats a token. */
  loss: number;
  /** Global norm of the gradients before clipping. */
  gradNorm: number;
  balanceLoss: number;
  /** Assignments of each expert in each MoE layer. */
  load: number[][];
  /** In mixed precision: the loss scale of the next step, and how many steps were skipped so far. */
  lossScale?: number;
  skipped?: number;
}

/** A model being trained on one device. */
export interface Session {
  readonly gpu: Gpu;
  readonly state: SessionState;
  /** Of the program that a step runs (of the first micro-batch under accumulation). */
  readonly stats: ProgramStats;
  /** Queue one step on its micro-batches; resolves when the queue has room, with the figures to come. */
  step(batches: HostBatch[], lr: number): Promise<{ values: Promise<StepValues> }>;
  /** Mean cross entropy of a batch in nats a token, and the load of every MoE layer, without training. */
  evaluate(batch: HostBatch): Promise<{ loss: number; load: number[][] }>;
  /** Run one step with a timestamp around every kernel, in their order. */
  profile(batches: HostBatch[], lr: number): Promise<DispatchTime[]>;
  close(): void;
}

/** Put a model on a device with fresh parameters and compile its programs. */
export async function openSession(gpu: Gpu, model: LanguageModel, settings: TrainSettings): Promise<Session> {
  const { context } = model.config;
  const { size, accumulate } = settings.batch;
  const initial = model.init(key(settings.seed));
  const parameters = (await materialize(gpu, initial.parameters)) as Parameters;
  const buffers = (await materialize(gpu, initial.buffers, "router buffers")) as SessionState["buffers"];
  const { precision } = settings;
  // Where operands are rounded to f16, gradients are computed of a scaled loss.
  const lossScale = precision === "mixed" ? FIRST_LOSS_SCALE : undefined;
  const state: SessionState = { parameters, optimizer: await initAdamw(gpu, parameters, { lossScale }), buffers };

  const inputs = { tokens: u32(size, context), targets: u32(size, context) };
  const { optimizer } = settings;
  const differentiate = ({ parameters, optimizer }: TensorsOf<SessionState>, total: Tensor) => {
    const seed = optimizer.lossScale && reshape(optimizer.lossScale.scale, total.shape);
    return gradients(total, parameters, { seed });
  };
  const update = (handles: TensorsOf<SessionState>, grads: MapLeaves<Parameters, Tensor>, lr: Tensor) => {
    const { gradNorm } = adamw(handles.parameters, grads, handles.optimizer as never, lr, optimizer);
    const { scale, skipped } = handles.optimizer.lossScale ?? {};
    return { gradNorm, lossScale: scale, skipped };
  };

  const forward = (
    handles: TensorsOf<SessionState>,
    batch: { tokens: Tensor<"u32">; targets: Tensor<"u32"> },
    training: boolean,
  ) => {
    // IGNORE, the largest u32, is past 2^31 as a float too.
    const mask = settings.batch.padded ? map("isTarget", [batch.targets], (target) => target.less(2 ** 31)) : undefined;
    return model.loss(handles.parameters, { ...batch, mask, buffers: handles.buffers, training });
  };
  const applyRouter = (handles: TensorsOf<SessionState>, load: Tensor[]) => {
    if (!model.router.afterStep || !handles.buffers) return;
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
  const evaluation = await compile(gpu, { label: "evaluate", state, inputs, precision }, (handles, batch) => {
    const { loss, load } = forward(handles, batch, false);
    return { loss, load };
  });

  const run = accumulate === 1 ? await oneProgram() : await threePrograms();
  return {
    gpu,
    state,
    stats: run.stats,
    step: run.step,
    profile: run.profile,
    async evaluate(batch) {
      const { loss, load } = await (await evaluation.run(batch)).outputs;
      return { loss: loss[0]!, load: load.map((counts) => [...counts]) };
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
      { label: "step", state, inputs: { ...inputs, lr: f32() }, precision },
      (handles, { lr, ...batch }) => {
        const { total, loss, balanceLoss, load } = forward(handles, batch, true);
        const updated = update(handles, differentiate(handles, total), lr);
        applyRouter(handles, load);
        return { loss, ...updated, balanceLoss, load };
      },
    );
    return {
      stats: program.stats,
      close: () => program.close(),
      profile: ([batch]: HostBatch[], lr: number) => program.profile({ ...batch!, lr }),
      async step([batch]: HostBatch[], lr: number) {
        const ticket = await program.run({ ...batch!, lr });
        return { values: ticket.outputs.then((o) => stepValues([o], o)) };
      },
    };
  }

  async function threePrograms() {
    const sums = {
      gradients: (await allocate(gpu, parameters, "accumulated gradients")) as Parameters,
      load: await allocate(
        gpu,
        moeLayers(model.config).map(() => spec([model.config.moe.experts])),
        "expert load",
      ),
    };
    const all = { ...state, sums };
    const part = (label: string, put: (target: Tensor, x: Tensor) => void) =>
      compile(gpu, { label, state: all, inputs, precision }, (handles, batch) => {
        const { total, loss, balanceLoss, load } = forward(handles, batch, true);
        const grads = new Map(leaves<Tensor>(differentiate(handles, scale(total, 1 / accumulate))));
        for (const [path, target] of leaves<Tensor>(handles.sums.gradients)) put(target, grads.get(path)!);
        for (const [layer, target] of handles.sums.load.entries()) put(target, load[layer]!);
        return { loss, balanceLoss, load };
      });
    const first = await part("first micro-batch", copyInto);
    const further = await part("further micro-batch", addInPlace);
    const apply = await compile(gpu, { label: "apply", state: all, inputs: { lr: f32() } }, (handles, { lr }) => {
      const updated = update(handles, handles.sums.gradients, lr);
      applyRouter(handles, handles.sums.load);
      return updated;
    });
    return {
      stats: first.stats,
      close() {
        for (const program of [first, further, apply]) program.close();
        release(sums);
      },
      async profile(batches: HostBatch[], lr: number) {
        const times = [];
        for (const [index, batch] of batches.entries()) {
          times.push(...(await (index === 0 ? first : further).profile(batch)));
        }
        return [...times, ...(await apply.profile({ lr }))];
      },
      async step(batches: HostBatch[], lr: number) {
        const tickets = [];
        for (const [index, batch] of batches.entries()) tickets.push(await (index === 0 ? first : further).run(batch));
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

type Host = Float32Array | Uint32Array;

/** What the update of a step tells. */
interface Updated {
  gradNorm: Host;
  lossScale?: Host;
  skipped?: Host;
}

function stepValues(parts: { loss: Host; balanceLoss: Host; load: Host[] }[], updated: Updated): StepValues {
  const mean = (name: "loss" | "balanceLoss") => parts.reduce((sum, part) => sum + part[name][0]!, 0) / parts.length;
  const load = parts[0]!.load.map((counts, layer) =>
    Array.from(counts, (_, expert) => parts.reduce((sum, part) => sum + part.load[layer]![expert]!, 0)),
  );
  return {
    loss: mean("loss"),
    gradNorm: updated.gradNorm[0]!,
    balanceLoss: mean("balanceLoss"),
    load,
    ...(updated.lossScale && { lossScale: updated.lossScale[0]!, skipped: updated.skipped![0]! }),
  };
}
