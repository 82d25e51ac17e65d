import { collapseWatch } from "@webmoe/inspect";
import type { Model } from "@webmoe/model";
import type { Gpu } from "@webmoe/webgpu";
import { restore, save } from "./checkpoint/checkpoint";
import type { Checkpoint, RunStore } from "./checkpoint/run-store";
import { lossOf } from "./device-loss";
import { openWithinMemory } from "./planning/open-within-memory";
import { learningRate } from "./schedule";
import type { Evaluation, Session } from "./session";
import type { TrainSettings } from "./settings";
import { type BadStep, badStepWatch } from "./step/bad-steps";
import { findOrigin } from "./step/origin";
import { stepRecord } from "./step/step-record";
import type { StepValues } from "./step/step-values";
import type { LanguageFigures, TextData } from "./tasks/language-task";
import { stepBatches, type Task, totalLoad } from "./tasks/task";
import { taskOf } from "./tasks/task-of";

/** What to train, on what, and where the run is kept. */
export interface TrainOptions<Figures extends object = LanguageFigures> {
  /** Opens a device; the trainer closes it. A lost one is replaced by another, up to three times. */
  open(): Promise<Gpu>;
  /** What is trained; its parameters are made on the device. */
  model: Model;
  /** All but model and data; `trainSettings()` fills in what is not said. */
  settings: TrainSettings;
  /** Text for a language model, or the task of another. */
  data: TextData | Task<Figures>;
  /** Keeps metrics and checkpoints; without one the run leaves nothing. */
  store?: RunStore;
  /** Gives the parameters of a run that begins other values than fresh ones, for example with `startFrom`. */
  initialize?(session: Session): Promise<void>;
  /** Go on from here. */
  resume?: Checkpoint;
  /** Stop after the step in progress, with a checkpoint. */
  signal?: AbortSignal;
  /** Asked before each step: where it returns a promise, the run pauses until that resolves. */
  beforeStep?(): Promise<void> | undefined;
}

/** What happens in a run, in order. */
export type Report<Figures extends object = LanguageFigures> =
  /** The model is on its device and its programs are compiled, which took so many seconds. */
  | { kind: "ready"; session: Session; seconds: number }
  /** Figures of a step, numbered from 1; its speed is that since the step before, the time that since the run began. */
  | ({ kind: "step"; step: number; lr: number; tokensPerSecond: number; elapsedSeconds: number } & StepValues)
  /** After a step: the mean loss in nats a target of the held-out part, and assignments of each expert in each MoE layer. */
  | ({ kind: "validation"; step: number; loss: number; load: number[][] } & Figures)
  /** After a step: where a checkpoint is, as the store says. */
  | { kind: "checkpoint"; step: number; location: string }
  /** Something to tell whoever watches, in a sentence: that routing collapsed. */
  | { kind: "warning"; step: number; message: string }
  /** The device went away at `step`: another is opened, for the `attempt`th time, and goes on after the checkpoint of step `from`. */
  | { kind: "device-lost"; step: number; from: number; attempt: number; message: string }
  /** The last report: the session is still open while it is looked at. */
  | { kind: "done"; step: number; session: Session };

/** How often a lost device is replaced. */
const REPLACEMENTS = 3;

/**
 * Train a model: an async generator of reports. The host stays one step ahead of the device; a step's report comes when
 * its figures do. Validation and a checkpoint follow the last step in any case. When the device is lost, the steps since
 * the last checkpoint are computed again on another one, bit for bit, and reported once.
 */
export async function* train<Figures extends object = LanguageFigures>(
  options: TrainOptions<Figures>,
): AsyncGenerator<Report<Figures>> {
  const { store } = options;
  const begin = options.resume?.step ?? 0;
  const kept = begin > 0 ? [{ step: begin, location: `that of step ${begin}` }] : [];
  const progress: Progress = { step: begin, validated: 0, started: performance.now(), kept };
  let resume = options.resume;
  for (let attempt = 1; ; attempt++) {
    let gpu: Gpu | undefined;
    try {
      gpu = await options.open();
      yield* trainOn(gpu, { ...options, resume }, progress);
      return;
    } catch (error) {
      // Right after a loss a driver may be starting again, and have no device yet.
      const starting = !gpu && attempt > 1 ? (error as Error) : undefined;
      if (starting) await new Promise((resolve) => setTimeout(resolve, 2000));
      const lost = starting ?? (await lossOf(gpu, error));
      if (!lost || attempt > REPLACEMENTS) throw lost ?? error;
      resume = (await store?.latestCheckpoint()) ?? options.resume;
      yield { kind: "device-lost", step: progress.step, from: resume?.step ?? 0, attempt, message: lost.message };
    } finally {
      gpu?.close();
    }
  }
}

/** What was reported, whatever the device. */
interface Progress {
  step: number;
  validated: number;
  started: number;
  /** The last two checkpoints that were not written after bad steps. */
  kept: { step: number; location: string }[];
}

async function* trainOn<Figures extends object>(
  gpu: Gpu,
  options: TrainOptions<Figures>,
  progress: Progress,
): AsyncGenerator<Report<Figures>> {
  const { model, settings, data, store, resume, signal } = options;
  const { batch, train: length, validation, checkpoint } = settings;
  const opened = performance.now();
  const session = await openWithinMemory(gpu, model, settings);
  if (resume) await restore(session, model, resume);
  else if (options.initialize) {
    await options.initialize(session);
    await session.startAverage();
  }
  yield { kind: "ready", session, seconds: (performance.now() - opened) / 1000 };

  const { context } = model.config;
  const task = taskOf(data, model, settings);
  const batchesOf = (step: number) => stepBatches(task, model, settings, step);
  const clock = stepClock(batch.size * batch.accumulate * context);
  const badSteps = badStepWatch(length.onNan ?? "skip", model, length.steps);
  const routing = collapseWatch(model.config.moe);
  const pending: { step: number; lr: number; values: Promise<StepValues> }[] = [];
  let saved = performance.now();

  async function* settle(most: number): AsyncGenerator<Report<Figures>> {
    while (pending.length > most) {
      const { step, lr, values } = pending.shift()!;
      const figures = await values;
      const timing = {
        tokensPerSecond: clock.tick(),
        elapsedSeconds: (performance.now() - progress.started) / 1000,
      };
      if (step <= progress.step) continue;
      progress.step = step;
      await store?.appendMetrics(stepRecord({ step, lr, ...timing }, figures, model.config.moe.topK));
      yield { kind: "step", step, lr, ...timing, ...figures };
      const bad = badSteps.see(step, figures);
      if (bad?.stop) throw await explained(bad);
      if (bad?.notable) yield { kind: "warning", step, message: `${bad.reason} (${bad.count} in a row)` };
      const collapse = routing.see(figures.load);
      if (collapse) yield { kind: "warning", step, message: collapse };
    }
  }

  async function explained({ reason, first, count }: BadStep): Promise<Error> {
    const row = count === 1 ? `at step ${first}` : `${count} steps in a row, from step ${first} on`;
    const origin = await findOrigin(session, model, settings, batchesOf(first)).catch(() => undefined);
    const began = origin ? `: it began in ${origin}` : "";
    // What the step before left may be what broke this one: a checkpoint is good where a good step came out of it.
    const good = progress.kept.findLast(({ step }) => step < first - 1)?.location;
    const advice = good
      ? `; the last good checkpoint is ${good}: start another run from it, with a lower optimizer.lr or a longer schedule.warmup`
      : "; there is no good checkpoint before it: lower optimizer.lr, or raise schedule.warmup";
    return new Error(`train: ${reason} ${row}${began}${advice}`);
  }

  async function* pause(step: number, last: boolean): AsyncGenerator<Report<Figures>> {
    // An interrupted run is validated where an unbroken one would be, and at no other step.
    const interrupted = signal?.aborted && step < length.steps;
    const isEnd = last && !interrupted;
    const validates = task.validation.length > 0 && (isEnd || isMultiple(step, validation.every));
    const isDue = last || isMultiple(step, checkpoint.every) || performance.now() - saved > minutes(checkpoint.minutes);
    if (!validates && !(store && isDue)) return;
    yield* settle(0);
    let validationLoss: number | undefined;
    if (validates) {
      const { load, ...figures } = await validate(session, task);
      validationLoss = figures.loss;
      if (step > progress.validated) {
        progress.validated = step;
        await store?.appendMetrics({ step, split: "validation", ...figures });
        yield { kind: "validation", step, load, ...figures } as Report<Figures>;
      }
    }
    // A checkpoint after bad steps would be no good one to go back to.
    if (store && isDue && (last || badSteps.inRow() === 0)) {
      const location = await save(store, session, model, { step, settings, validationLoss });
      saved = performance.now();
      if (badSteps.inRow() === 0)
        progress.kept = [...progress.kept, { step, location }].slice(-Math.min(2, checkpoint.keep));
      yield { kind: "checkpoint", step, location };
    }
    clock.skip();
  }

  let step = resume?.step ?? 0;
  while (step < length.steps && !signal?.aborted) {
    const wait = options.beforeStep?.();
    if (wait) {
      yield* settle(0);
      await wait;
      clock.skip();
      continue;
    }
    step++;
    const lr = learningRate(step, settings);
    const { values } = await session.step(batchesOf(step), lr, step);
    values.catch(() => {}); // of two steps in flight the first says what failed
    pending.push({ step, lr, values });
    yield* settle(1);
    if (step < length.steps && !signal?.aborted) yield* pause(step, false);
  }
  yield* pause(step, true);
  yield* settle(0);
  yield { kind: "done", step, session };
  session.close();
}

const isMultiple = (step: number, every: number) => every > 0 && step % every === 0;

const minutes = (count = 0) => (count > 0 ? count * 60_000 : Number.POSITIVE_INFINITY);

/** Judge a model on the validation batches of its task. */
export async function validate<Figures extends object>(session: Session, task: Task<Figures>) {
  const evaluations: Evaluation[] = [];
  for (const batch of task.validation) evaluations.push(await session.evaluate(batch));
  return { ...task.judge(evaluations), load: totalLoad(evaluations) };
}

/** Tokens per second over the last few steps, pauses left out. */
function stepClock(tokensPerStep: number) {
  let last = performance.now();
  const recent: number[] = [];
  return {
    tick() {
      const now = performance.now();
      recent.push(now - last);
      if (recent.length > 10) recent.shift();
      last = now;
      return (tokensPerStep * recent.length * 1000) / recent.reduce((a, b) => a + b, 0);
    },
    skip() {
      last = performance.now();
    },
  };
}
