import { readdir, stat } from "node:fs/promises";
import { join, relative, resolve, sep } from "node:path";
import { glob, isDynamicPattern } from "tinyglobby";
import type { Corpus, Piece } from "./corpus";
import { readCsv } from "./read-csv";
import { readJsonl } from "./read-jsonl";
import { readParquet } from "./read-parquet";
import { readText } from "./read-text";

const READERS: [RegExp, (path: string, column?: string, count?: (bytes: number) => void) => AsyncGenerator<Piece>][] = [
  [/\.(jsonl|ndjson)(\.gz)?$/i, readJsonl],
  [/\.[ct]sv(\.gz)?$/i, readCsv],
  [/\.parquet$/i, readParquet],
];

const readerOf = (path: string) => READERS.find(([ending]) => ending.test(path))?.[1];

/** What is read in a folder. */
const IN_FOLDERS = /\.((txt|md|jsonl|ndjson|csv|tsv)(\.gz)?|parquet)$/i;

/** Some files as a corpus. By their endings they are JSON lines, CSV, TSV, parquet, or text; .gz is unpacked. */
export async function filesCorpus(
  name: string,
  paths: string[],
  options: { column?: string; checksums?: string[] } = {},
): Promise<Corpus> {
  const found = await Promise.all(paths.map((path) => stat(path)));
  return {
    name,
    separator: paths.some((path) => readerOf(path)) ? "\n" : "",
    size: found.reduce((sum, { size }) => sum + size, 0),
    sources: [
      ...paths.map((path, index) => {
        const checksum = options.checksums?.[index];
        return checksum ? `sha256 ${checksum}` : `${resolve(path)} ${found[index]!.size} ${found[index]!.mtimeMs}`;
      }),
      ...(options.column === undefined ? [] : [`column ${options.column}`]),
    ],
    async *read(progress) {
      let done = 0;
      const count = (bytes: number) => {
        done += bytes;
        progress?.(done);
      };
      for (const path of paths) {
        const reader = readerOf(path);
        yield* reader ? reader(path, options.column, count) : readText(path, count);
      }
    },
  };
}

/** The corpus of a file, of a folder, or of what a glob pattern matches; undefined where there is no such thing. */
export async function pathCorpus(path: string, options: { column?: string } = {}): Promise<Corpus | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile()) return filesCorpus(path, [path], options);
  if (found?.isDirectory()) {
    const files = await filesIn(path);
    if (files.length === 0) {
      throw new Error(
        `data: needs .txt, .md, .jsonl, .csv, .tsv or .parquet files in a folder, and "${path}" has none`,
      );
    }
    return filesCorpus(path, files, options);
  }
  if (found) throw new Error(`data: needs a file or a folder, and "${path}" is neither`);
  if (!isDynamicPattern(path)) return undefined;
  const files = (await glob(path.replaceAll(sep, "/"), { absolute: true })).sort();
  if (files.length === 0) throw new Error(`data: needs files, and the pattern "${path}" matches none`);
  return filesCorpus(path, files, options);
}

/** Paths of what can be read below a folder, in the same order on every system. */
async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory() && IN_FOLDERS.test(entry.name))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll(sep, "/"))
    .sort()
    .map((path) => join(folder, path));
}
