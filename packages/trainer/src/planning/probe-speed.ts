import type { Model } from "@webmoe/model";
import { tensorBytes } from "@webmoe/tensor/files";
import type { Gpu } from "@webmoe/webgpu";
import type { CheckpointParts, RunStore, TensorEntry } from "../checkpoint/run-store";
import type { Session } from "../session";
import type { TrainSettings } from "../settings";
import type { TextData } from "../tasks/language-task";
import type { Task } from "../tasks/task";
import { taskOf } from "../tasks/task-of";
import { train } from "../train";

/** How fast a run goes on a device, from the first seconds of it. */
export interface Probe {
  /** Of what comes before the first step: memory, initial values and programs. */
  secondsToOpen: number;
  /** Steps that were timed. */
  steps: number;
  /** Mean over the timed steps, a line of metrics each. */
  secondsPerStep: number;
  /** Of a validation with all its batches; 0 where a run has none. */
  secondsPerValidation: number;
  /** Of a whole checkpoint; 0 without a store. */
  secondsPerCheckpoint: number;
  /** Of a sample; 0 without one. */
  secondsPerSample: number;
  /** Where models of fewer layers were probed in place of the run's, from which its figures follow: how many they had. */
  layers?: [few: number, more: number];
}

/** A run to be probed. */
export interface ProbeOptions<Figures extends object> {
  /** What is trained. */
  model: Model;
  /** How it is trained. */
  settings: TrainSettings;
  /** On what. */
  data: TextData | Task<Figures>;
  /** Where a run like this one would be kept; the probe writes metrics and a part of a checkpoint there. */
  store?: RunStore;
  /** Writes a sample with a model, which is the one of a session. */
  sample?(session: Session, model: Model): Promise<unknown>;
}

/** When a probe ends: steps that count, and their seconds; after so many seconds whatever the steps. */
const ENOUGH = { steps: 3, seconds: 3, most: 6 };

/** What goes before: a first step, and seconds in which an idle GPU reaches its clock rate. */
const WARM_UP = { steps: 1, seconds: 1.5 };

/** Bytes of each file of a checkpoint that are written; the time of the rest follows from theirs. */
const WRITTEN = 64 * 2 ** 20;

/** Train for a few seconds as `train` does, and see how long everything takes that a run consists of. The device stays open. */
export async function probeSpeed<Figures extends object>(gpu: Gpu, options: ProbeOptions<Figures>): Promise<Probe> {
  const { model, data, store } = options;
  const settings = endless(options.settings);
  const enough = new AbortController();
  const kept = store && measuringStore(store);
  const warmUp = { ...WARM_UP, ...(gpu.adapter.software && { seconds: 0 }) };
  let secondsToOpen = 0;
  let [start, from, steps] = [performance.now(), 0, 0];
  let warm = false;
  let secondsPerStep = 0;
  let probe: Probe | undefined;
  const open = async () => Object.assign(Object.create(gpu) as Gpu, { close() {} });
  for await (const report of train({ open, model, settings, data, store: kept, signal: enough.signal })) {
    if (report.kind === "ready") {
      secondsToOpen = report.seconds;
      start = performance.now();
    } else if (report.kind === "step" && !enough.signal.aborted) {
      const seconds = (performance.now() - start) / 1000;
      steps = report.step - from;
      if (!warm && steps >= warmUp.steps && seconds >= warmUp.seconds) {
        warm = true;
        [start, from] = [performance.now(), report.step];
      } else if (warm && ((steps >= ENOUGH.steps && seconds >= ENOUGH.seconds) || seconds >= ENOUGH.most)) {
        secondsPerStep = seconds / steps;
        enough.abort();
      }
    } else if (report.kind === "done") {
      const { session } = report;
      probe = {
        secondsToOpen,
        steps,
        secondsPerStep,
        secondsPerValidation: await validationSeconds(session, taskOf(data, model, settings)),
        secondsPerCheckpoint: kept?.seconds ?? 0,
        secondsPerSample: options.sample ? await secondsOf(() => options.sample!(session, model)) : 0,
      };
    }
  }
  if (!probe) throw new Error("probeSpeed: the run ended by itself, before it was measured");
  return probe;
}

/** Of a run that goes on until it is stopped, and stops for nothing. */
function endless({ train, validation, checkpoint, schedule, ...rest }: TrainSettings): TrainSettings {
  return {
    ...rest,
    train: { ...train, steps: Number.MAX_SAFE_INTEGER },
    schedule: { ...schedule, name: "constant" },
    validation: { ...validation, every: 0 },
    checkpoint: { ...checkpoint, every: 0, minutes: 0 },
  };
}

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

async function validationSeconds(session: Session, { validation }: Pick<Task, "validation">): Promise<number> {
  const [batch] = validation;
  if (!batch) return 0;
  await session.evaluate(batch);
  return validation.length * (await secondsOf(() => session.evaluate(batch)));
}

/** A store that writes the first tensors of a checkpoint, and says how long all of them would take. */
function measuringStore(store: RunStore) {
  const bytesOf = (entries: TensorEntry[]) => entries.reduce((sum, entry) => sum + tensorBytes(entry), 0);
  const firstOf = (entries: TensorEntry[]) => {
    let bytes = 0;
    return entries.filter((entry, index) => {
      bytes += tensorBytes(entry);
      return index === 0 || bytes <= WRITTEN;
    });
  };
  const measuring = {
    seconds: 0,
    appendMetrics: (record: Record<string, unknown>) => store.appendMetrics(record),
    latestCheckpoint: () => store.latestCheckpoint(),
    async saveCheckpoint({ model, optimizer, ...rest }: CheckpointParts) {
      const parts = { model: firstOf(model), optimizer: firstOf(optimizer) };
      let location = "";
      const seconds = await secondsOf(async () => {
        location = await store.saveCheckpoint({ ...rest, ...parts });
      });
      const written = bytesOf(parts.model) + bytesOf(parts.optimizer);
      measuring.seconds = (seconds * (bytesOf(model) + bytesOf(optimizer))) / written;
      return location;
    },
  };
  return measuring;
}
