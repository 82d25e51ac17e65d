import { readFileSync, statSync } from "node:fs";
import { LineCounter, parseDocument } from "yaml";
import { UsageError } from "../errors";

/** One value that a person gave: its dotted key, and where it was said, for errors. */
export interface GivenValue {
  key: string;
  value: unknown;
  /** "run.yaml:12"; empty for the command line. */
  from: string;
}

/** Files past this size are no configurations. */
const LARGEST = 2 ** 20;

/** Maps in maps in maps past this depth are no configuration; a map that contains itself has no end. */
const DEEPEST = 8;

/** The values that a YAML or JSON file sets, by dotted key. The `config.json` of a run is such a file too. */
export function readConfigFile(path: string): GivenValue[] {
  const lines = new LineCounter();
  const document = parseDocument(readText(path), { lineCounter: lines, logLevel: "silent" });
  const [error] = document.errors;
  if (error) {
    const [message] = error.message.split(/ at line \d+, column \d+:/);
    throw new UsageError(`${path}:${lines.linePos(error.pos[0]).line}: ${message}`);
  }
  const root = plainValue(path, () => document.toJS());
  if (root === null || root === undefined) return [];
  if (!isMap(root)) throw new UsageError(`${path}: needs keys and values, as in "train: { steps: 100 }"`);
  const run = isMap(root.config) && isMap(root.versions);
  const from = (keys: string[]) => {
    const node = document.getIn(run ? ["config", ...keys] : keys, true) as { range?: [number] } | undefined;
    return node?.range ? `${path}:${lines.linePos(node.range[0]).line}` : path;
  };
  return flatten(path, run ? (root.config as object) : root, from);
}

function readText(path: string): string {
  try {
    const { size } = statSync(path);
    if (size > LARGEST) throw new Error(`needs at most ${LARGEST} bytes, got ${size}`);
    return readFileSync(path, "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new UsageError(
      code === "ENOENT" ? `--config: there is no file "${path}"` : `--config: "${path}": ${message}`,
    );
  }
}

function plainValue(path: string, read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    throw new UsageError(`${path}: ${(error as Error).message.split("\n")[0]}`);
  }
}

function flatten(path: string, map: object, from: (keys: string[]) => string, keys: string[] = []): GivenValue[] {
  if (keys.length > DEEPEST) throw new UsageError(`${path}: ${keys.join(".")}: is nested too deep`);
  return Object.entries(map).flatMap(([name, value]) => {
    const own = [...keys, name];
    // A group whose keys are all commented out is null.
    if (value === null && keys.length === 0) return [];
    return isMap(value) ? flatten(path, value, from, own) : [{ key: own.join("."), value, from: from(own) }];
  });
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
