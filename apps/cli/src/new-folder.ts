import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { UsageError } from "./errors";

/** Fill a folder under a temporary name and rename it when it is whole; a folder that has files already is an error. */
export async function writeNewFolder(path: string, fill: (temporary: string) => Promise<void>): Promise<void> {
  if ((await readdir(path).catch(() => [])).length > 0) {
    throw new UsageError(`export: needs a folder that is missing or empty as --out, and "${path}" has files`);
  }
  const temporary = `${path}.writing`;
  await rm(temporary, { recursive: true, force: true });
  await mkdir(temporary, { recursive: true });
  try {
    await fill(temporary);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
  await rm(path, { recursive: true, force: true });
  await rename(temporary, path);
}
