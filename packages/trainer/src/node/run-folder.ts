// The folder of a run: config.json, metrics.jsonl, and checkpoints/step-00000200/ with model.safetensors,
// optimizer.safetensors and state.json. A checkpoint is written under a temporary name, synced and renamed, so that
// what has the final name is whole.

import { appendFile, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Checkpoint, CheckpointParts, RunStore } from "../run-store";
import { readTensors, writeTensors } from "./tensor-file";

/** A run folder that can be written to and read. */
export interface RunFolder extends RunStore {
  readonly path: string;
  /** The last whole checkpoint; undefined when there is none. Damaged ones are named through `warn` and passed over. */
  latestCheckpoint(warn?: (message: string) => void): Promise<Checkpoint | undefined>;
  readConfig(): Promise<Record<string, unknown>>;
  /** Drop the metrics of steps after `step`, which a resumed run will write again. */
  truncateMetrics(step: number): Promise<void>;
}

/** Start a run in a folder that is missing or empty; another is an error, so that nothing is overwritten. */
export async function createRun(path: string, config: Record<string, unknown>, keep: number): Promise<RunFolder> {
  const found = await readdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw new Error(`run folder: needs a folder at "${path}", got: ${error.message}`);
  });
  if (found.length > 0) {
    throw new Error(`run folder: "${path}" is not empty: choose another --out, or go on with --resume "${path}"`);
  }
  await mkdir(path, { recursive: true });
  await writeFile(join(path, "config.json"), `${JSON.stringify(config, null, 2)}\n`);
  return runFolder(path, keep);
}

/** Open the folder of an earlier run. */
export async function openRun(path: string, keep = Number.POSITIVE_INFINITY): Promise<RunFolder> {
  const found = await stat(join(path, "config.json")).catch(() => undefined);
  if (!found) throw new Error(`run folder: needs a folder that a run made, and "${path}" has no config.json`);
  return runFolder(path, keep);
}

/** The newest run below a folder of runs; undefined when there is none. */
export async function latestRun(parent: string): Promise<string | undefined> {
  const names = await readdir(parent).catch(() => []);
  const runs = await Promise.all(
    names.map(async (name) => {
      const config = await stat(join(parent, name, "config.json")).catch(() => undefined);
      return config && { path: join(parent, name), time: config.mtimeMs };
    }),
  );
  return runs.filter((run) => run !== undefined).sort((a, b) => b.time - a.time)[0]?.path;
}

function runFolder(path: string, keep: number): RunFolder {
  const checkpoints = join(path, "checkpoints");
  const metrics = join(path, "metrics.jsonl");

  async function list(): Promise<string[]> {
    const names = await readdir(checkpoints).catch(() => []);
    return names.filter((name) => /^step-\d{8}$/.test(name)).sort();
  }

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
    async appendMetrics(record) {
      await appendFile(metrics, `${JSON.stringify(record)}\n`);
    },
    async truncateMetrics(step) {
      const text = await readFile(metrics, "utf8").catch(() => "");
      const kept = text.split("\n").filter((line) => line && stepOf(line) <= step);
      await writeFile(`${metrics}.writing`, kept.map((line) => `${line}\n`).join(""));
      await rename(`${metrics}.writing`, metrics);
    },
    async saveCheckpoint(parts) {
      const name = `step-${String(parts.step).padStart(8, "0")}`;
      const target = join(checkpoints, name);
      const temporary = join(checkpoints, `.writing-${name}`);
      await rm(temporary, { recursive: true, force: true });
      await mkdir(temporary, { recursive: true });
      await writeCheckpoint(temporary, parts);
      await rm(target, { recursive: true, force: true });
      await rename(temporary, target);
      await syncFolder(checkpoints);
      // Later steps, if any, are damaged ones that a resume passed over: they must not push out the good one just written.
      const upToHere = (await list()).filter((other) => other <= name);
      for (const old of upToHere.slice(0, Math.max(0, upToHere.length - Math.max(1, keep)))) {
        await rm(join(checkpoints, old), { recursive: true, force: true });
      }
      return target;
    },
    async latestCheckpoint(warn = () => {}) {
      for (const name of (await list()).reverse()) {
        try {
          return await readCheckpoint(join(checkpoints, name));
        } catch (error) {
          warn(`${join(checkpoints, name)} is damaged (${(error as Error).message}): trying the one before it`);
        }
      }
      return undefined;
    },
  };
}

async function writeCheckpoint(folder: string, { step, state, model, optimizer }: CheckpointParts): Promise<void> {
  const bytes = {
    model: await writeTensors(join(folder, "model.safetensors"), model),
    optimizer: await writeTensors(join(folder, "optimizer.safetensors"), optimizer),
  };
  const file = await open(join(folder, "state.json"), "w");
  await file.writeFile(`${JSON.stringify({ ...state, step, bytes }, null, 2)}\n`);
  await file.sync();
  await file.close();
  await syncFolder(folder);
}

async function readCheckpoint(folder: string): Promise<Checkpoint> {
  const state = JSON.parse(await readFile(join(folder, "state.json"), "utf8")) as {
    step: number;
    bytes: { model: number; optimizer: number };
  };
  for (const part of ["model", "optimizer"] as const) {
    const { size } = await stat(join(folder, `${part}.safetensors`));
    if (size !== state.bytes[part]) throw new Error(`${part}.safetensors has ${size} of ${state.bytes[part]} bytes`);
  }
  return {
    step: state.step,
    state,
    model: await readTensors(join(folder, "model.safetensors")),
    optimizer: await readTensors(join(folder, "optimizer.safetensors")),
  };
}

/** A renamed entry is on disk once its folder is synced; not every system can sync folders. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r").catch(() => undefined);
  await folder?.sync().catch(() => {});
  await folder?.close();
}

function stepOf(line: string): number {
  try {
    return (JSON.parse(line) as { step?: number }).step ?? 0;
  } catch {
    return Number.POSITIVE_INFINITY; // a line that a crash cut off
  }
}
