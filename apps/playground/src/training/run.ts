// The run as the page sees it: signals that the panels show, and the commands that change it.

import { batch, computed, signal } from "@preact/signals";
import { proxy, type Remote, wrap } from "comlink";
import { type Configuration, defaults, faults } from "../configuration";
import { mobyDick, type Text, textOfFile } from "../texts";
import type { TrainingEvent, TrainingWorker } from "./messages";
import TrainingThread from "./worker?worker";

type Ready = Extract<TrainingEvent, { kind: "ready" }>;
type Step = Extract<TrainingEvent, { kind: "step" }>;
type Validation = Extract<TrainingEvent, { kind: "validation" }>;
type Sample = Extract<TrainingEvent, { kind: "sample" }>;

export type Phase = "idle" | "starting" | "training" | "paused" | "stopping" | "stopped" | "done" | "failed";

export const configuration = signal<Configuration>(defaults);
export const text = signal<Text | "moby-dick">("moby-dick");
/** The configuration of the run that is shown, which a visitor's changes do not touch. */
export const trainedWith = signal<Configuration | undefined>(undefined);
export const phase = signal<Phase>("idle");
/** What went wrong, for the visitor. */
export const problem = signal<string | undefined>(undefined);
export const ready = signal<Ready | undefined>(undefined);
/** Every step of the run; replaced, not changed, so that panels notice. */
export const steps = signal<readonly Step[]>([]);
export const validations = signal<readonly Validation[]>([]);
export const sample = signal<Sample | undefined>(undefined);

export const latest = computed(() => steps.value.at(-1));
export const busy = computed(() => ["starting", "training", "paused", "stopping"].includes(phase.value));
export const trainable = computed(() => !busy.value && Object.keys(faults(configuration.value)).length === 0);

let thread: Worker | undefined;
let worker: Remote<TrainingWorker> | undefined;

/** Train with the configuration and the text chosen, from new parameters. */
export async function start(): Promise<void> {
  if (!trainable.value) return;
  batch(() => {
    phase.value = "starting";
    problem.value = undefined;
    trainedWith.value = configuration.value;
    ready.value = undefined;
    steps.value = [];
    validations.value = [];
    sample.value = undefined;
  });
  try {
    const { bytes } = text.value === "moby-dick" ? await mobyDick() : text.value;
    const ended = await trained({ configuration: configuration.value, text: bytes });
    phase.value = ended;
  } catch (error) {
    batch(() => {
      phase.value = "failed";
      problem.value = (error as Error).message;
    });
    dismiss();
  }
}

export function pause(): void {
  worker?.pause();
  phase.value = "paused";
}

export function resume(): void {
  worker?.resume();
  phase.value = "training";
}

export function stop(): void {
  worker?.stop();
  phase.value = "stopping";
}

/** Learn from a file of the visitor's from the next start on. */
export async function learnFrom(file: File): Promise<void> {
  try {
    const found = await textOfFile(file);
    batch(() => {
      text.value = found;
      problem.value = undefined;
    });
  } catch (error) {
    problem.value = (error as Error).message;
  }
}

/** Run the worker; rejects too when the worker itself breaks, which no answer of its would say. */
function trained(request: Parameters<TrainingWorker["start"]>[0]): Promise<"done" | "stopped"> {
  thread ??= new TrainingThread({ name: "training" });
  worker ??= wrap<TrainingWorker>(thread);
  return new Promise((resolve, reject) => {
    thread!.onerror = (event) => {
      event.preventDefault();
      reject(new Error(`the training worker stopped: ${event.message || "it could not be loaded"}; start again`));
    };
    worker!.start(request, proxy(receive)).then(resolve, reject);
  });
}

function receive(events: TrainingEvent[]): void {
  batch(() => {
    const of = <Kind extends TrainingEvent["kind"]>(kind: Kind) =>
      events.filter((event): event is Extract<TrainingEvent, { kind: Kind }> => event.kind === kind);
    ready.value = of("ready").at(-1) ?? ready.value;
    if (phase.value === "starting" && ready.value) phase.value = "training";
    steps.value = [...steps.value, ...of("step")];
    validations.value = [...validations.value, ...of("validation")];
    sample.value = of("sample").at(-1) ?? sample.value;
  });
}

function dismiss(): void {
  thread?.terminate();
  thread = undefined;
  worker = undefined;
}
