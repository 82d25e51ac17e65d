import {
  type Classifier,
  classifier,
  type LanguageModel,
  type LanguageModelParameters,
  languageModel,
  type Model,
} from "@webmoe/model";
import type { DeviceTensor } from "@webmoe/tensor";
import { type Checkpoint, loadModel, restoreAveraged } from "@webmoe/trainer";
import { latestRun, openRun, type RunFolder } from "@webmoe/trainer/node";
import type { Gpu } from "@webmoe/webgpu";
import { checkedConfig } from "./config/resolve";
import type { Config } from "./config/schema";
import { UsageError } from "./errors";
import { layersFor, makeRouter } from "./routers";
import { findRunFiles } from "./run-files";

/** Where runs are kept unless told otherwise. */
export const RUNS = "runs";

/** A finished or interrupted run: its folder, what it was configured with, and its last checkpoint or the one that was asked for. */
export interface SavedRun {
  /** What opens it again: the run's folder, or that of a checkpoint in it. */
  path: string;
  folder: RunFolder;
  config: Config;
  model: Model;
  checkpoint: Checkpoint;
}

/** The language model of a configuration. `say` hears which options mean nothing to its router; default: the error stream. */
export async function makeModel(config: Config, say?: (line: string) => void): Promise<LanguageModel> {
  const router = await makeRouter(config.router, say);
  try {
    return languageModel({ ...config.model, moe: layersFor(config) }, router);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** The classifier of a configuration whose classes are known. */
export async function makeClassifier(config: Config): Promise<Classifier> {
  const router = await makeRouter(config.router);
  const { labels = [], pool } = config.classification;
  try {
    return classifier({ ...config.model, moe: layersFor(config) }, router, { classes: labels.length, pool });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** The folder of a checkpoint, and that of its run. */
const CHECKPOINT = /^(?<run>.+?)[\\/]+checkpoints[\\/]+step-(?<step>\d{8})[\\/]*$/;

/**
 * Open a run folder, at its last checkpoint, or the folder of one of its checkpoints, or the newest run for "latest"; `flag` is what a
 * person said it with.
 */
export async function openSavedRun(path: string, flag = "--from"): Promise<SavedRun> {
  const found = path === "latest" ? await latestRun(RUNS) : path;
  if (!found) throw new UsageError(`${flag} latest: there is no run below ${RUNS}/: train one first`);
  const { run, step } = CHECKPOINT.exec(found)?.groups ?? { run: found };
  const usage = (error: Error) => {
    throw new UsageError(`${flag}: ${error.message}`);
  };
  const folder = await openRun(run!).catch(usage);
  const { config: saved, folder: began } = await folder.readConfig();
  const config = findRunFiles(checkedConfig(saved), { began, run: run! });
  const checkpoint = step
    ? await folder.checkpointAt(Number(step)).catch(usage)
    : await folder.latestCheckpoint((message) => console.error(message));
  if (!checkpoint) throw new Error(`run folder: "${found}" has no whole checkpoint yet`);
  const model = config.task === "classify" ? await makeClassifier(config) : await makeModel(config);
  return { path: found, folder, config, model, checkpoint };
}

/** Open the run of a language model. */
export async function openLanguageRun(path: string): Promise<SavedRun & { model: LanguageModel }> {
  const run = await openSavedRun(path);
  if (run.config.task === "language") return run as SavedRun & { model: LanguageModel };
  throw new UsageError(
    `--from: needs the run of a language model, and "${run.folder.path}" classifies texts: see eval`,
  );
}

/** Put the parameters of a checkpoint on a device. */
export async function loadParameters(gpu: Gpu, { model, checkpoint }: SavedRun, { averaged = false } = {}) {
  const { parameters, buffers } = await loadModel(gpu, model, checkpoint.model);
  if (averaged) await restoreAveraged(model, parameters, checkpoint);
  return { parameters: parameters as LanguageModelParameters<DeviceTensor>, buffers };
}
