import { readdir } from "node:fs/promises";
import { join } from "node:path";

const FULL: Record<string, string> = {
  ENOSPC: "the disk is full",
  EDQUOT: "the quota is used up",
  EFBIG: "a file may not be that long here",
};

/** Do some writing; where the disk is full the error says so, names the run folder, and what to do. */
export async function whileWriting<T>(folder: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    const reason = FULL[(error as NodeJS.ErrnoException).code ?? ""];
    if (!reason) throw error;
    const names = await readdir(join(folder, "checkpoints")).catch(() => []);
    const kept = names.some((name) => name.startsWith("step-"));
    throw new Error(
      `run folder: ${reason}, writing in "${folder}"; ${kept ? "its last checkpoint is whole" : "it has no checkpoint yet"}: ` +
        `free some space, then ${kept ? "go on" : "begin again"} with --resume "${folder}"`,
    );
  }
}
