// checkpoints/step-00000200/ with model.safetensors, optimizer.safetensors and state.json, which records their sizes and
// hashes. A checkpoint is written under a temporary name, synced and renamed, so that what has a final name is whole,
// unless the disk damages it later: that is found by the hashes.

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Checkpoint, CheckpointParts } from "../checkpoint/run-store";
import { readTensors, type WrittenFile, writeTensors } from "./tensor-file";
import { syncFolder } from "./whole-file";

/** The checkpoints of a run. */
export interface CheckpointFolder {
  /** Write one, then remove all but the last `keep` and the one with the best validation. Resolves with where it is. */
  save(parts: CheckpointParts): Promise<string>;
  /** The last whole one; damaged ones are named through `warn` and passed over. */
  latest(warn: (message: string) => void): Promise<Checkpoint | undefined>;
  /** The one of a step; an error where it is missing or damaged. */
  at(step: number): Promise<Checkpoint>;
}

const PARTS = ["model", "optimizer"] as const;

/** The checkpoints in a folder, which need not exist yet. */
export function checkpointFolder(folder: string): CheckpointFolder {
  /** Names of checkpoints, oldest first. One of the same step that is being replaced comes before its successor. */
  async function list(): Promise<string[]> {
    const names = await readdir(folder).catch(() => []);
    const known = names.filter((name) => /^(\.replaced-)?step-\d{8}$/.test(name));
    return known.sort((a, b) => stepOf(a) - stepOf(b) || (a < b ? -1 : 1));
  }

  /** What a process left that was killed while it wrote or removed a checkpoint. */
  async function sweep(): Promise<void> {
    for (const name of await readdir(folder)) {
      if (/^\.(writing|removing)-/.test(name)) await rm(join(folder, name), { recursive: true, force: true });
    }
  }

  /** Take the final name away first, so that a checkpoint with a final name is never half gone. */
  async function remove(name: string): Promise<void> {
    const leaving = join(folder, `.removing-${name}`);
    await rename(join(folder, name), leaving);
    await rm(leaving, { recursive: true, force: true });
  }

  async function prune(written: string, keep: number): Promise<void> {
    // Later steps, if any, are damaged ones that a resume passed over: they must not push out the good one just written.
    const names = (await list()).filter((name) => stepOf(name) <= stepOf(written));
    const best = await bestOf(names.map((name) => join(folder, name)));
    const old = names.slice(0, Math.max(0, names.length - Math.max(1, keep)));
    for (const name of old) if (join(folder, name) !== best) await remove(name);
  }

  return {
    async save({ keep = Number.POSITIVE_INFINITY, ...parts }) {
      const name = nameOf(parts.step);
      const [target, temporary, replaced] = [name, `.writing-${name}`, `.replaced-${name}`].map((n) => join(folder, n));
      await mkdir(folder, { recursive: true });
      await sweep();
      await mkdir(temporary!);
      try {
        await writeCheckpoint(temporary!, parts);
      } catch (error) {
        await rm(temporary!, { recursive: true, force: true });
        throw error;
      }
      const exists = await stat(target!).catch(() => undefined);
      if (exists) await rm(replaced!, { recursive: true, force: true });
      if (exists) await rename(target!, replaced!);
      await rename(temporary!, target!);
      await syncFolder(folder);
      await rm(replaced!, { recursive: true, force: true });
      await prune(name, keep);
      return target!;
    },
    async latest(warn) {
      for (const name of (await list()).reverse()) {
        try {
          return await readCheckpoint(join(folder, name), stepOf(name));
        } catch (error) {
          warn(`${join(folder, name)} is damaged (${(error as Error).message}): trying the one before it`);
        }
      }
      return undefined;
    },
    at: (step) => readCheckpoint(join(folder, nameOf(step)), step),
  };
}

const nameOf = (step: number) => `step-${String(step).padStart(8, "0")}`;

const stepOf = (name: string) => Number(name.slice(-8));

async function writeCheckpoint(folder: string, { step, state, model, optimizer }: CheckpointParts): Promise<void> {
  const files = {
    model: await writeTensors(join(folder, "model.safetensors"), model),
    optimizer: await writeTensors(join(folder, "optimizer.safetensors"), optimizer),
  };
  const file = await open(join(folder, "state.json"), "w");
  await file.writeFile(`${JSON.stringify({ ...state, step, files }, null, 2)}\n`);
  await file.sync();
  await file.close();
  await syncFolder(folder);
}

interface State {
  step: number;
  /** Validation loss at this step, where there was a validation. */
  validationLoss?: number;
  files: Record<(typeof PARTS)[number], WrittenFile>;
}

async function readState(folder: string, step: number): Promise<State> {
  const state = JSON.parse(await readFile(join(folder, "state.json"), "utf8")) as State;
  if (state?.step !== step) throw new Error(`state.json is of step ${state?.step}`);
  for (const part of PARTS) {
    const { bytes, sha256 } = state.files?.[part] ?? {};
    if (typeof bytes !== "number" || typeof sha256 !== "string") {
      throw new Error(`state.json does not say what ${part}.safetensors holds`);
    }
    const { size } = await stat(join(folder, `${part}.safetensors`));
    if (size !== bytes) throw new Error(`${part}.safetensors has ${size} of ${bytes} bytes`);
  }
  return state;
}

async function readCheckpoint(folder: string, step: number): Promise<Checkpoint> {
  const state = await readState(folder, step);
  for (const part of PARTS) {
    const hash = createHash("sha256");
    await pipeline(createReadStream(join(folder, `${part}.safetensors`)), hash);
    if (hash.digest("hex") !== state.files[part].sha256) throw new Error(`${part}.safetensors was changed`);
  }
  return {
    step,
    state: { ...state },
    model: await readTensors(join(folder, "model.safetensors")),
    optimizer: await readTensors(join(folder, "optimizer.safetensors")),
  };
}

/** The checkpoint with the lowest validation loss; undefined where none was validated at its step. */
async function bestOf(folders: string[]): Promise<string | undefined> {
  let best: { folder: string; loss: number } | undefined;
  for (const folder of folders) {
    const state = await readState(folder, stepOf(folder)).catch(() => undefined);
    const loss = state?.validationLoss;
    if (typeof loss === "number" && loss <= (best?.loss ?? Number.POSITIVE_INFINITY)) best = { folder, loss };
  }
  return best?.folder;
}
