// The folder of a run: config.json, metrics.jsonl, checkpoints/, lock.json while a process trains in it, and where they are asked
// for TensorBoard's files.

import { mkdir, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Checkpoint, RunStore } from "../checkpoint/run-store";
import { checkpointFolder } from "./checkpoint-folder";
import { whileWriting } from "./disk-full";
import { eventFolder } from "./event-folder";
import { growingFile } from "./growing-file";
import { LOCK, lockFolder } from "./run-lock";
import { temporaryName, writeWhole } from "./whole-file";

/** A run folder that can be written to and read. */
export interface RunFolder extends RunStore {
  /** The folder, as it was given. */
  readonly path: string;
  /** The last whole checkpoint; undefined when there is none. Damaged ones are named through `warn` and passed over. */
  latestCheckpoint(warn?: (message: string) => void): Promise<Checkpoint | undefined>;
  /** The checkpoint of a step; an error where there is none, or a damaged one. */
  checkpointAt(step: number): Promise<Checkpoint>;
  /** What config.json says; a damaged file is an error. */
  readConfig(): Promise<Record<string, unknown>>;
  /** Drop the metrics of steps after `step`, which a resumed run will write again. */
  truncateMetrics(step: number): Promise<void>;
  /** Write what metrics.jsonl gets from now on for TensorBoard too, and drop what its files have of steps after `step`. */
  writeEvents(step: number): Promise<void>;
  /** Be the only process that trains here, until `close`; an error where another does. `createRun` locks by itself. */
  lock(): Promise<void>;
  /** Have in the files what was added to them, and let other processes train here. */
  close(): Promise<void>;
}

/** Start a run in a folder that is missing or empty, and lock it; another is an error, so that nothing is overwritten. */
export async function createRun(path: string, config: Record<string, unknown>): Promise<RunFolder> {
  const found = await readdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw new Error(`run folder: needs a folder at "${path}", got: ${error.message}`);
  });
  // A process that was killed while it started a run leaves no more than these.
  const begun = (name: string) => name.startsWith(LOCK) || name === temporaryName("config.json");
  if (!found.every(begun)) {
    throw new Error(`run folder: "${path}" is not empty: choose another --out, or go on with --resume "${path}"`);
  }
  await mkdir(path, { recursive: true });
  const run = runFolder(path);
  await run.lock();
  await whileWriting(path, () => writeWhole(join(path, "config.json"), `${JSON.stringify(config, null, 2)}\n`));
  return run;
}

/** Open the folder of an earlier run. To go on with it, `lock` it. */
export async function openRun(path: string): Promise<RunFolder> {
  const found = await stat(join(path, "config.json")).catch(() => undefined);
  if (!found) throw new Error(`run folder: needs a folder that a run made, and "${path}" has no config.json`);
  return runFolder(path);
}

/** The newest run below a folder of runs; undefined when there is none. */
export async function latestRun(parent: string): Promise<string | undefined> {
  return (await listRuns(parent))[0]?.path;
}

/** The runs below a folder, the newest first, each with the time it began in milliseconds since 1970. */
export async function listRuns(parent: string): Promise<{ path: string; time: number }[]> {
  const names = await readdir(parent).catch(() => []);
  const runs = await Promise.all(
    names.map(async (name) => {
      const config = await stat(join(parent, name, "config.json")).catch(() => undefined);
      return config && { path: join(parent, name), time: config.mtimeMs };
    }),
  );
  return runs.filter((run) => run !== undefined).sort((a, b) => b.time - a.time || (a.path < b.path ? -1 : 1));
}

function runFolder(path: string): RunFolder {
  const checkpoints = checkpointFolder(join(path, "checkpoints"));
  const metrics = join(path, "metrics.jsonl");
  const lines = growingFile(metrics);
  const events = eventFolder(path);
  let unlock: (() => Promise<void>) | undefined;

  return {
    path,
    async readConfig() {
      const file = join(path, "config.json");
      const text = await readFile(file, "utf8");
      try {
        return JSON.parse(text);
      } catch {
        throw new Error(`run folder: needs JSON in "${file}", and it is damaged: start a new run`);
      }
    },
    appendMetrics: (record) =>
      whileWriting(path, async () => {
        await lines.append(`${JSON.stringify(record)}\n`);
        await events.append(record);
      }),
    async truncateMetrics(step) {
      await lines.flush();
      const text = await readFile(metrics, "utf8").catch(() => "");
      const kept = text.split("\n").filter((line) => line && stepOf(line) <= step);
      await whileWriting(path, () => writeWhole(metrics, kept.map((line) => `${line}\n`).join("")));
    },
    writeEvents: (step) => whileWriting(path, () => events.begin(step)),
    saveCheckpoint: (parts) =>
      whileWriting(path, async () => {
        // The metrics up to a checkpoint are on disk when it is.
        await lines.sync();
        await events.sync();
        return checkpoints.save(parts);
      }),
    latestCheckpoint: (warn = () => {}) => checkpoints.latest(warn),
    checkpointAt: (step) =>
      checkpoints.at(step).catch((error: NodeJS.ErrnoException) => {
        const reason = error.code === "ENOENT" ? "has none" : `has a damaged one (${error.message})`;
        throw new Error(`run folder: needs a checkpoint of step ${step}, and "${path}" ${reason}`);
      }),
    async lock() {
      unlock ??= await whileWriting(path, () => lockFolder(path));
    },
    async close() {
      try {
        await whileWriting(path, () => Promise.all([lines.flush(), events.flush()]));
      } finally {
        await unlock?.();
        unlock = undefined;
      }
    },
  };
}

function stepOf(line: string): number {
  try {
    return (JSON.parse(line) as { step?: number }).step ?? 0;
  } catch {
    return Number.POSITIVE_INFINITY; // a line that a crash cut off
  }
}
