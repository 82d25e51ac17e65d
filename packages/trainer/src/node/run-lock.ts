// lock.json says which process trains in a run folder: its number, when it started, and on which machine. A process that is
// gone leaves its lock behind; whoever finds it sees that nobody of that number and start is there, and takes over.

import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { processStart } from "./process-start";

/** Name of the lock in a run folder. */
export const LOCK = "lock.json";

interface Holder {
  pid: number;
  started: string;
  host: string;
  /** When it was locked, for people. */
  since: string;
}

/** Lock a run folder for this process, until the function that this resolves with is called, or the process exits. An error where another trains. */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, LOCK);
  const started = (await processStart(process.pid)) ?? "unknown";
  const own: Holder = { pid: process.pid, started, host: hostname(), since: new Date().toISOString() };
  const text = `${JSON.stringify({ ...own, id: randomUUID() })}\n`;
  const found = await createOrRead(path, text);
  if (found !== undefined) await takeOver(folder, found, text);
  const release = () => {
    if (existsSync(path) && readFileSync(path, "utf8") === text) rmSync(path);
  };
  process.once("exit", release);
  return async () => {
    process.off("exit", release);
    release();
  };
}

/** Write a lock where there is none; else resolve with what the present one says. */
async function createOrRead(path: string, text: string): Promise<string | undefined> {
  for (let attempt = 0; ; attempt++) {
    try {
      await writeFile(path, text, { flag: "wx", flush: true });
      return undefined;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const found = await readFile(path, "utf8").catch(() => "");
    // A lock without text is being written, unless its process was killed right then.
    if (found || attempt === 10) return found;
    await sleep(20);
  }
}

async function takeOver(folder: string, found: string, text: string): Promise<void> {
  const path = join(folder, LOCK);
  await refuseLiving(folder, found);
  const temporary = `${path}.${randomUUID()}`;
  await writeFile(temporary, text, { flush: true });
  // Of several that found the same lock at once, those who come later see another one here, or find out after the rename
  // that theirs was not the last.
  const unchanged = (await readFile(path, "utf8").catch(() => "")) === found;
  if (unchanged) await rename(temporary, path);
  else await rm(temporary);
  await sleep(100);
  const holder = await readFile(path, "utf8").catch(() => "");
  if (holder === text) return;
  await refuseLiving(folder, holder);
  throw new Error(`run folder: "${folder}" was locked by another process at this moment: try again`);
}

/** An error where the process that a lock names is there; what is no lock names nobody. */
async function refuseLiving(folder: string, lock: string): Promise<void> {
  const holder = parse(lock);
  if (!holder) return;
  const { pid, started, host, since } = holder;
  const inUse = `run folder: "${folder}" is in use by process ${pid}`;
  if (host !== hostname()) {
    throw new Error(`${inUse} of ${host} since ${since}: where that is gone, delete "${join(folder, LOCK)}"`);
  }
  const running = await processStart(pid);
  const same = running === started || running === "unknown" || started === "unknown";
  if (running !== undefined && same) {
    throw new Error(`${inUse} since ${since}: wait until it ends, or choose another folder`);
  }
}

function parse(text: string): Holder | undefined {
  try {
    const { pid, started, host, since } = JSON.parse(text) as Record<string, unknown>;
    if (!Number.isSafeInteger(pid) || (pid as number) <= 0) return undefined;
    return { pid: pid as number, started: `${started}`, host: `${host}`, since: `${since}` };
  } catch {
    return undefined;
  }
}
