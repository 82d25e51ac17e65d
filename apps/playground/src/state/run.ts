// The run as the page sees it: signals that the panels show, and the commands that change it.

import { batch, computed, effect, signal } from "@preact/signals";
import { proxy } from "comlink";
import { fromAddress, toAddress } from "../configuration/address";
import { CODE, type Configuration, MOBY_DICK } from "../configuration/configuration";
import { withValue } from "../configuration/dotted";
import { faults } from "../configuration/faults";
import { alongside } from "../configuration/rival";
import type { StartedWorker } from "../router-code/start-worker";
import type { MetricsRecord } from "../storage/metrics-until";
import type { CheckpointFiles } from "../training/messages";
import { code, compiledRouter } from "./code";
import { eventOf, type LaneFigures, laneFigures, receive } from "./lane-figures";
import { nextTask } from "./next-task";
import { type Problem, problemOf } from "./problem";
import { keeperOf, newRunName, refreshRuns, resumePoint } from "./runs";
import { mobyDick, ownText, type Text } from "./texts";

export type Phase = "idle" | "starting" | "training" | "paused" | "stopping" | "stopped" | "done" | "failed";

const said = fromAddress(location.hash);
export const configuration = signal<Configuration>(said.configuration);
/** The second configuration, where two race. */
export const rival = signal<Configuration | undefined>(said.rival);
if (said.code !== undefined) code.value = said.code;
/** Whether the address brought the code of a router, which someone else may have written. */
export const codeFromAddress = signal(said.code !== undefined);
/** A text of the visitor's; undefined while there is none. */
export const text = signal<Text | undefined>(undefined);
export const phase = signal<Phase>("idle");
/** What went wrong, for the visitor. */
export const problem = signal<Problem | undefined>(undefined);
/** What the visitor should know, though nothing is wrong. */
export const notice = signal<string | undefined>(undefined);
/** The runs that are shown: one, or two that race. */
export const lanes = signal<LaneFigures[]>([]);
/** The name under which the run is kept; a race is not. */
export const runName = signal<string | undefined>(undefined);

export const busy = computed(() => ["starting", "training", "paused", "stopping"].includes(phase.value));
/** The configurations that will train: a rival follows the first in everything they must share. */
export const configurations = computed(() =>
  rival.value ? [configuration.value, alongside(configuration.value, rival.value)] : [configuration.value],
);
export const missingText = computed(
  () => configuration.value.data !== MOBY_DICK && text.value?.name !== configuration.value.data,
);
export const trainable = computed(
  () => !busy.value && !missingText.value && configurations.value.every((one) => Object.keys(faults(one)).length === 0),
);
/** Whether there is a model that can write. */
export const canWrite = computed(
  () => ["training", "paused", "done", "stopped"].includes(phase.value) && lanes.value.length === 1,
);

effect(() => {
  const address = toAddress({ configuration: configuration.value, rival: rival.value, code: code.value });
  history.replaceState(null, "", address ? `#${address}` : location.pathname + location.search);
});

let started: { worker: StartedWorker; code: string | undefined } | undefined;

/** The worker in use; undefined before the first. */
export const worker = () => started?.worker.remote;

/** Train with the configuration chosen, from new parameters. */
export async function start(): Promise<void> {
  if (!trainable.value) return;
  const all = configurations.value;
  await begin(all, all.length === 1 ? newRunName(all[0]!) : undefined);
}

/** Go on with a kept run from its last checkpoint. */
export async function goOn(name: string): Promise<void> {
  try {
    const point = await resumePoint(name, configuration.value);
    batch(() => {
      configuration.value = point.configuration;
      rival.value = undefined;
      if (point.text) text.value = point.text;
      if (point.code !== undefined) code.value = point.code;
    });
    if (missingText.value) {
      throw new Error(`data: the run learns from "${point.configuration.data}": give that text, then go on`);
    }
    await begin([point.configuration], name, point.checkpoint, point.metrics);
  } catch (error) {
    problem.value = { what: `“${name}” cannot go on`, todo: (error as Error).message };
  }
}

async function begin(
  all: Configuration[],
  name: string | undefined,
  resume?: CheckpointFiles,
  metrics: MetricsRecord[] = [],
) {
  phase.value = "starting";
  const figures = all.map(laneFigures);
  // Before anything shows them: each figure would be drawn.
  receive(figures[0]!, metrics.map(eventOf));
  if (resume) figures[0]!.kept.value = resume.step;
  await nextTask();
  batch(() => {
    problem.value = undefined;
    notice.value = undefined;
    lanes.value = figures;
    runName.value = name;
  });
  try {
    const own = all[0]!.data === MOBY_DICK ? await mobyDick() : text.value!;
    const coded = all.some(({ router }) => router.name === CODE);
    const remote = await workerFor(coded ? await compiledRouter() : undefined);
    const keeper =
      name === undefined ? undefined : await keeperOf(name, all[0]!, own, coded ? code.value : undefined, resume);
    const ended = new Promise<"done" | "stopped">((resolve, reject) => {
      started!.worker.onBreak((error) => reject(new Error(`the worker broke: ${error.message}`)));
      const deliver = (lane: number, events: Parameters<typeof receive>[1]) =>
        batch(() => {
          receive(figures[lane]!, events);
          if (phase.value === "starting" && figures.every(({ ready }) => ready.value)) phase.value = "training";
          if (events.some(({ kind }) => kind === "checkpoint")) void refreshRuns();
        });
      remote
        .start({ configurations: all, text: own.bytes, resume }, proxy(deliver), (keeper && proxy(keeper)) as never)
        .then(resolve, reject);
    });
    phase.value = await ended;
  } catch (error) {
    batch(() => {
      phase.value = "failed";
      problem.value = problemOf(error as Error, figures[0]!.kept.value);
    });
    dismiss();
  }
  await refreshRuns();
}

/** A worker with this router code in it, or none. */
async function workerFor(compiled: string | undefined) {
  if (started && started.code !== compiled) dismiss();
  const { startWorker } = await import("../router-code/start-worker");
  started ??= { worker: await startWorker(compiled), code: compiled };
  return started.worker.remote;
}

/** Change the configuration by dotted keys, as a run that did not fit asks for. */
export function takeSettings(changes: Record<string, unknown>): void {
  batch(() => {
    for (const [key, value] of Object.entries(changes))
      configuration.value = withValue(configuration.value, key, value);
    lanes.value = [];
    problem.value = undefined;
    phase.value = "idle";
  });
}

export function pause(): void {
  void worker()?.pause();
  phase.value = "paused";
}

export function resume(): void {
  void worker()?.resume();
  phase.value = "training";
}

/** One step of a paused run. */
export function step(): void {
  void worker()?.step();
}

export function stop(): void {
  void worker()?.stop();
  phase.value = "stopping";
}

/** Keep a checkpoint before the next step. */
export function keep(): void {
  if (runName.value !== undefined) void worker()?.keep();
}

/** Learn from a text of the visitor's from the next start on. */
export async function learnFrom(content: Blob, name: string): Promise<void> {
  try {
    const found = await ownText(content, name, configuration.value.model.context);
    batch(() => {
      text.value = found;
      configuration.value = { ...configuration.value, data: found.name };
      problem.value = undefined;
    });
  } catch (error) {
    problem.value = { what: "This text cannot be learned from", todo: (error as Error).message };
  }
}

function dismiss(): void {
  started?.worker.end();
  started = undefined;
}

// A hidden tab may be put to sleep or thrown away: what is trained is kept before that.
document.addEventListener("visibilitychange", () => {
  if (phase.value !== "training") return;
  if (document.hidden) keep();
  else notice.value = "The tab was hidden: browsers slow such pages down. A checkpoint was kept when it went.";
});

addEventListener("hashchange", () => {
  if (busy.value) return;
  const said = fromAddress(location.hash);
  batch(() => {
    configuration.value = said.configuration;
    rival.value = said.rival;
    if (said.code !== undefined) {
      code.value = said.code;
      codeFromAddress.value = true;
    }
  });
});
