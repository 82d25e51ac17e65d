// Runs that the page keeps: the run folders of the command line, file by file, in the browser's private file system. Only
// the page writes here; workers have no storage.

import type { CheckpointFiles, Keeper } from "../training/messages";
import { metricsUntil } from "./metrics-until";

/** A file of a run folder, by its path there. */
export interface RunFile {
  path: string;
  content: Blob;
}

/** A kept run, as a list shows it. */
export interface KeptRun {
  name: string;
  /** What is in config.json; `text` is the name of a text of the visitor's. */
  record: { config: Record<string, unknown>; text?: string };
  /** Steps of whole checkpoints, in order. */
  steps: number[];
  bytes: number;
  /** When it was last written to. */
  time: number;
}

const CHECKPOINT = /^checkpoints\/step-(\d{8})\/state\.json$/;

const checkpointAt = (step: number) => `checkpoints/step-${String(step).padStart(8, "0")}`;

async function runsFolder(): Promise<FileSystemDirectoryHandle> {
  const root = await navigator.storage.getDirectory();
  return root.getDirectoryHandle("runs", { create: true });
}

async function folderAt(parent: FileSystemDirectoryHandle, path: string, create = true) {
  let folder = parent;
  for (const name of path.split("/").filter(Boolean)) folder = await folder.getDirectoryHandle(name, { create });
  return folder;
}

async function write(run: FileSystemDirectoryHandle, path: string, content: Blob | BufferSource | string) {
  const [, parent = "", name] = /^(?:(.*)\/)?([^/]+)$/.exec(path)!;
  const file = await (await folderAt(run, parent)).getFileHandle(name!, { create: true });
  // What is written replaces the file when it is closed, all of it or nothing.
  const stream = await file.createWritable();
  try {
    await stream.write(content as FileSystemWriteChunkType);
  } catch (error) {
    await stream.abort().catch(() => {});
    throw error;
  }
  await stream.close();
}

async function* filesBelow(folder: FileSystemDirectoryHandle, prefix = ""): AsyncGenerator<RunFile & { time: number }> {
  for await (const [name, handle] of folder as unknown as AsyncIterable<[string, FileSystemHandle]>) {
    if (handle.kind === "directory") yield* filesBelow(handle as FileSystemDirectoryHandle, `${prefix}${name}/`);
    else {
      const content = await (handle as FileSystemFileHandle).getFile();
      yield { path: prefix + name, content, time: content.lastModified };
    }
  }
}

/** Every file of a kept run. */
export async function readRun(name: string): Promise<RunFile[]> {
  const files: RunFile[] = [];
  for await (const { path, content } of filesBelow(await folderAt(await runsFolder(), name, false))) {
    files.push({ path, content });
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** The runs that are kept, newest first; folders that are no runs are left out. */
export async function listRuns(): Promise<KeptRun[]> {
  const runs: KeptRun[] = [];
  for await (const [name, handle] of (await runsFolder()) as unknown as AsyncIterable<[string, FileSystemHandle]>) {
    if (handle.kind !== "directory") continue;
    const run: KeptRun = { name, record: { config: {} }, steps: [], bytes: 0, time: 0 };
    let record: KeptRun["record"] | undefined;
    for await (const { path, content, time } of filesBelow(handle as FileSystemDirectoryHandle)) {
      run.bytes += content.size;
      run.time = Math.max(run.time, time);
      const step = CHECKPOINT.exec(path)?.[1];
      if (step) run.steps.push(Number(step));
      if (path === "config.json") record = JSON.parse(await content.text());
    }
    run.steps.sort((a, b) => a - b);
    if (record?.config) runs.push({ ...run, record });
  }
  return runs.sort((a, b) => b.time - a.time);
}

/** The files of the newest checkpoint of a run whose sizes are as its state says; undefined where there is none. */
export async function latestCheckpoint(name: string): Promise<CheckpointFiles | undefined> {
  const files = new Map((await readRun(name)).map(({ path, content }) => [path, content]));
  const steps = [...files.keys()].flatMap((path) => CHECKPOINT.exec(path)?.[1] ?? []).map(Number);
  for (const step of steps.sort((a, b) => b - a)) {
    const folder = checkpointAt(step);
    const state = JSON.parse(await files.get(`${folder}/state.json`)!.text());
    const [model, optimizer] = ["model", "optimizer"].map((part) => files.get(`${folder}/${part}.safetensors`));
    const whole = model?.size === state.files?.model?.bytes && optimizer?.size === state.files?.optimizer?.bytes;
    if (model && optimizer && whole) return { step, state, model, optimizer };
  }
  return undefined;
}

/** Keep a run under a name, with files of its folder; one of that name is replaced. */
export async function saveRun(name: string, files: RunFile[]): Promise<void> {
  await removeRun(name).catch(() => {});
  const run = await folderAt(await runsFolder(), name);
  for (const { path, content } of files) await write(run, path, content);
}

/** Forget a run. */
export async function removeRun(name: string): Promise<void> {
  await (await runsFolder()).removeEntry(name, { recursive: true });
}

/** Drop the metrics of steps after `step`, which a resumed run will write again. */
export async function truncateMetrics(name: string, step: number): Promise<void> {
  const run = await folderAt(await runsFolder(), name);
  const kept = await metricsUntil(await fileText(run, "metrics.jsonl"), step);
  await write(run, "metrics.jsonl", kept.map(({ line }) => `${line}\n`).join(""));
}

/** The metrics of a run so far, one JSON object a line. */
export async function readMetrics(name: string): Promise<string> {
  return fileText(await folderAt(await runsFolder(), name, false), "metrics.jsonl");
}

async function fileText(run: FileSystemDirectoryHandle, path: string): Promise<string> {
  const file = await run.getFileHandle(path).catch(() => undefined);
  return file ? (await file.getFile()).text() : "";
}

/** Keeps what a run leaves, in its folder. A checkpoint counts once its state is written, which comes last. */
export function runKeeper(name: string): Keeper {
  return {
    latestCheckpoint: () => latestCheckpoint(name),
    async appendMetrics(lines) {
      const run = await folderAt(await runsFolder(), name);
      await write(run, "metrics.jsonl", (await fileText(run, "metrics.jsonl")) + lines);
    },
    async saveCheckpoint({ step, keep, model, optimizer, state }) {
      const run = await folderAt(await runsFolder(), name);
      const folder = checkpointAt(step);
      await write(run, `${folder}/model.safetensors`, model as BufferSource & Uint8Array);
      await write(run, `${folder}/optimizer.safetensors`, optimizer as BufferSource & Uint8Array);
      await write(run, `${folder}/state.json`, state);
      await prune(run, step, keep);
    },
  };
}

/** Remove all but the last checkpoints, and the one with the best validation, as the command line does. */
async function prune(run: FileSystemDirectoryHandle, written: number, keep: number): Promise<void> {
  const folder = await folderAt(run, "checkpoints");
  const found: { step: number; loss: number }[] = [];
  for await (const { path, content } of filesBelow(folder, "checkpoints/")) {
    const step = Number(CHECKPOINT.exec(path)?.[1] ?? Number.NaN);
    if (!(step <= written)) continue;
    found.push({ step, loss: JSON.parse(await content.text()).validationLoss ?? Number.POSITIVE_INFINITY });
  }
  found.sort((a, b) => a.step - b.step);
  const best = found.reduce((best, other) => (other.loss <= best.loss ? other : best), found[0]!);
  for (const old of found.slice(0, Math.max(0, found.length - Math.max(1, keep)))) {
    if (old === best && Number.isFinite(old.loss)) continue;
    await folder.removeEntry(checkpointAt(old.step).split("/")[1]!, { recursive: true });
  }
}
