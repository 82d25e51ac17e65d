// One run of a comparison: a router with a seed, in a run folder that `sample`, `eval` and `inspect` read like any other.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Tokenizer } from "@webmoe/data";
import { type LanguageFigures, type Session, type Task, type TextData, train, validate } from "@webmoe/trainer";
import { createRun, openRun, type RunFolder, writeWhole } from "@webmoe/trainer/node";
import { adapterName, type Gpu } from "@webmoe/webgpu";
import type { Config } from "../config/schema";
import { UsageError } from "../errors";
import { runRecord } from "../run-files";
import { makeModel } from "../run-model";
import { saveTokenizer } from "../run-text";
import { type MetricsLine, type RunResult, resultOf } from "./run-result";

/** Texts of a comparison: what all runs learn from, are validated on, and are tested on. */
export interface ComparisonData {
  data: TextData;
  test: Task<LanguageFigures>;
  padded: boolean;
  tokenizer: Tokenizer;
}

/** How one run is made. */
export interface RunOptions {
  path: string;
  config: Config;
  /** Opens its device; called again where that is lost. */
  open(): Promise<Gpu>;
  texts: ComparisonData;
  /** Stops it after the step in progress, with a checkpoint to go on from. */
  signal: AbortSignal;
  onStep?(progress: { step: number; loss: number; tokensPerSecond: number; elapsedSeconds: number }): void;
}

/** What a finished run left; undefined where it is not finished, an error where the folder is of another configuration. */
export async function finishedRun(path: string, config: Config): Promise<RunResult | undefined> {
  const folder = await openRun(path).catch(() => undefined);
  if (!folder) return undefined;
  const { config: saved } = (await folder.readConfig()) as { config: Config };
  const key = differentKey(saved, config);
  if (key) {
    throw new UsageError(
      `compare: "${path}" is of a comparison with another ${key}: choose another --out, or the settings of before`,
    );
  }
  const text = await readFile(join(path, "result.json"), "utf8").catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as RunResult);
}

/** The first dotted key in which two configurations differ; the adapter may. */
function differentKey(a: unknown, b: unknown, path = ""): string | undefined {
  if (path === "adapter" || isDeepStrictEqual(a, b)) return undefined;
  const isGroup = (value: unknown): value is Record<string, unknown> =>
    typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isGroup(a) || !isGroup(b)) return path;
  for (const name of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const found = differentKey(a[name], b[name], path ? `${path}.${name}` : name);
    if (found) return found;
  }
  return undefined;
}

/** Train a router with a seed, from its last checkpoint where there is one; undefined where it was stopped before its end. */
export async function runContestant(options: RunOptions): Promise<RunResult | undefined> {
  const { path, config, texts } = options;
  const folder = await openFolder(path, config);
  try {
    await saveTokenizer(path, texts.tokenizer);
    const ended = await trainIn(folder, options);
    if (!ended) return undefined;
    const { seed, batch, model, train } = config;
    const tokensPerStep = batch.size * batch.accumulate * model.context;
    const run = { seed, steps: train.steps, tokensPerStep, ...ended };
    const result = resultOf(await readMetrics(path), run);
    await writeWhole(join(path, "result.json"), `${JSON.stringify(result, null, 2)}\n`);
    return result;
  } finally {
    await folder.close();
  }
}

/** A new run folder, or the one of before; locked. */
async function openFolder(path: string, config: Config): Promise<RunFolder> {
  const before = await openRun(path).catch(() => undefined);
  await before?.lock();
  return before ?? createRun(path, runRecord(config));
}

/** Train up to the last step; undefined where it was stopped before. */
async function trainIn(folder: RunFolder, { config, open, texts, signal, onStep }: RunOptions) {
  const checkpoint = await folder.latestCheckpoint();
  await folder.truncateMetrics(checkpoint?.step ?? 0);
  const { steps } = config.train;
  const before = (await readMetrics(folder.path)).filter(({ split }) => split === "validation");
  let best = Math.min(...before.map(({ loss }) => loss));
  let session: Session | undefined;
  let memory = 0;
  let step = checkpoint?.step ?? 0;
  const reports = train({
    open,
    model: await makeModel(config, () => {}),
    settings: { ...config, batch: { ...config.batch, padded: texts.padded } },
    data: texts.data,
    store: folder,
    resume: checkpoint,
    signal,
  });
  for await (const report of reports) {
    if (report.kind === "ready") {
      session = report.session;
      memory = session.gpu.memoryUsed;
    } else if (report.kind === "step") {
      step = report.step;
      onStep?.(report);
    } else if (report.kind === "validation" && report.loss < best) {
      best = report.loss;
      const { loss, bitsPerByte } = await validate(session!, texts.test);
      await folder.appendMetrics({ step: report.step, split: "test", loss, bitsPerByte });
    }
  }
  return step < steps ? undefined : { adapter: adapterName(session!.gpu.adapter), memory };
}

async function readMetrics(path: string): Promise<MetricsLine[]> {
  const text = await readFile(join(path, "metrics.jsonl"), "utf8").catch(() => "");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}
