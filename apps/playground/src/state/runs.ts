// The runs that are kept, and how they meet the run in progress.

import { signal } from "@preact/signals";
import { CODE, type Configuration, MOBY_DICK, presetConfiguration, presetNames } from "../configuration/configuration";
import { metricsUntil } from "../storage/metrics-until";
import {
  type KeptRun,
  latestCheckpoint,
  listRuns,
  readMetrics,
  readRun,
  runKeeper,
  saveRun,
  truncateMetrics,
} from "../storage/run-folders";
import type { CheckpointFiles, Keeper } from "../training/messages";
import type { Text } from "./texts";

/** Beside config.json where the text is the visitor's, and where the router is. */
const TEXT = "text.txt";
const ROUTER = "router.ts";

/** The kept runs, newest first; undefined until they have been read, or where the browser keeps nothing. */
export const runs = signal<KeptRun[] | undefined>(undefined);
export const cannotKeep = signal<string | undefined>(undefined);

/** Read the list of kept runs again. */
export async function refreshRuns(): Promise<void> {
  try {
    runs.value = await listRuns();
  } catch (error) {
    cannotKeep.value = (error as Error).message;
  }
}

/** A name for a run that begins. */
export function newRunName({ preset, router }: Configuration): string {
  const stamp = new Date().toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-");
  return `${preset}-${router.name.replace(/\W+/g, "-")}-${stamp}`;
}

/** Make the folder of a run, or cut a resumed one back to its checkpoint, and keep there what comes. */
export async function keeperOf(
  name: string,
  configuration: Configuration,
  text: Text,
  code: string | undefined,
  resume: CheckpointFiles | undefined,
): Promise<Keeper | undefined> {
  try {
    if (resume) await truncateMetrics(name, resume.step);
    else await saveRun(name, newFiles(name, configuration, text, code));
    return runKeeper(name);
  } catch (error) {
    // A private window may refuse storage: training goes on without.
    cannotKeep.value = (error as Error).message;
    return undefined;
  }
}

function newFiles(name: string, configuration: Configuration, text: Text, code: string | undefined) {
  const file = (path: string, content: string | Uint8Array) => ({ path, content: new Blob([content as BlobPart]) });
  // Where the command line finds them, from the folder that "runs" is in.
  const config = {
    ...configuration,
    ...(configuration.data !== MOBY_DICK && { data: `runs/${name}/${TEXT}` }),
    ...(code !== undefined && { router: { ...configuration.router, name: `./runs/${name}/${ROUTER}` } }),
  };
  const record = {
    config,
    versions: { webmoe: "0.1.0", browser: navigator.userAgent },
    ...(configuration.data !== MOBY_DICK && { text: text.name }),
  };
  return [
    file("config.json", `${JSON.stringify(record, null, 2)}\n`),
    ...(configuration.data === MOBY_DICK ? [] : [file(TEXT, text.bytes)]),
    ...(code === undefined ? [] : [file(ROUTER, code)]),
  ];
}

/** Where a kept run goes on: its configuration, text, checkpoint and metrics. */
export async function resumePoint(name: string, current: Configuration) {
  const [run] = (await listRuns()).filter((run) => run.name === name);
  const checkpoint = await latestCheckpoint(name);
  if (!run || !checkpoint) throw new Error(`runs: “${name}” has no whole checkpoint`);
  const configuration = withDefaults(run.record.config as unknown as Configuration);
  const coded = configuration.router.name.endsWith(`/${ROUTER}`);
  if (coded) configuration.router = { name: CODE };
  const files = new Map((await readRun(name)).map(({ path, content }) => [path, content]));
  const code = coded ? await files.get(ROUTER)?.text() : undefined;
  const bytes = configuration.data === MOBY_DICK ? undefined : await files.get(TEXT)?.arrayBuffer();
  // In config.json it has the path by which the command line finds it.
  const text: Text | undefined = bytes && { name: run.record.text ?? TEXT, bytes: new Uint8Array(bytes) };
  // A file has no folder here: one of its name is asked for.
  configuration.data = text?.name ?? configuration.data.replace(/^.*[/\\]/, "");
  if (checkpoint.step >= configuration.train.steps) {
    // More steps than it was meant to have: as many as the form says, or where it has no more, half as many again.
    const asked = current.train.steps;
    const steps = asked > checkpoint.step ? asked : Math.ceil(checkpoint.step * 1.5);
    configuration.train = { ...configuration.train, steps };
  }
  const metrics = (await metricsUntil(await readMetrics(name), checkpoint.step)).map(({ record }) => record);
  return { configuration, text, checkpoint, code, metrics };
}

/** A configuration of the command line has a preset that the page may not offer, and keys that it does not show. */
function withDefaults(config: Configuration): Configuration {
  const preset = presetNames.includes(config.preset) ? config.preset : "nano";
  return { ...presetConfiguration(preset), ...config, preset };
}
