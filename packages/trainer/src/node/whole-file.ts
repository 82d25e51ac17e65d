import { open, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

/** Write a file so that its name always leads to a whole one: under a temporary name, synced, renamed. */
export async function writeWhole(path: string, text: string): Promise<void> {
  await writeFile(temporaryName(path), text, { flush: true });
  await rename(temporaryName(path), path);
  await syncFolder(dirname(path));
}

/** Where `writeWhole` writes before it renames. */
export const temporaryName = (path: string) => `${path}.writing`;

/** A renamed entry is on disk once its folder is synced; not every system can sync folders. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r").catch(() => undefined);
  await folder?.sync().catch(() => {});
  await folder?.close();
}

/** Have a file on disk as far as it was written; one that is missing is none. */
export async function syncFile(path: string): Promise<void> {
  const file = await open(path, "r+").catch(() => undefined);
  await file?.sync();
  await file?.close();
}
