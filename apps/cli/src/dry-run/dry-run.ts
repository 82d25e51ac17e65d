import { access } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { measureModel } from "@webmoe/model";
import {
  estimateTime,
  type Fit,
  fitIntoMemory,
  outOfMemoryText,
  type Probe,
  probeRun,
  type TrainSettings,
} from "@webmoe/trainer";
import { createRun } from "@webmoe/trainer/node";
import { adapterName, type Gpu, OutOfMemoryError } from "@webmoe/webgpu";
import type { Config } from "../config/schema";
import { openDevice } from "../open-device";
import { RUNS } from "../run-model";
import { type PreparedRun, settingsOf } from "../tasks/prepared-run";
import { type TemporaryFolder, temporaryFolder } from "../temporary-folder";
import { aboutRun } from "../terminal/about-run";
import { type DryRun, dryRunText } from "./dry-run-text";

/** How a dry run is printed, and where the run would be kept. */
export interface DryRunFlags {
  json: boolean;
  out?: string;
}

/** Print what a run would take, and train no more than the few steps that tell its speed. Throws where it does not fit. */
export async function dryRun(config: Config, run: PreparedRun, { json, out }: DryRunFlags): Promise<void> {
  if (!json) console.log(aboutRun(config, run));
  const gpu = await openDevice(config);
  try {
    const result = await measured(gpu, config, run, out ?? join(RUNS, "probe"));
    console.log(json ? JSON.stringify(result) : `\n${dryRunText(result)}`);
    // Memory by kind is in what was printed.
    if (!result.fits) throw new OutOfMemoryError(outOfMemoryText({ ...result.fit, memory: undefined }));
  } finally {
    gpu.close();
  }
}

async function measured(gpu: Gpu, config: Config, run: PreparedRun, out: string): Promise<DryRun> {
  const { model } = run;
  const settings = settingsOf(config, run);
  const tokensPerStep = config.batch.size * config.batch.accumulate * model.config.context;
  const { steps } = config.train;
  const fit = await fitIntoMemory(gpu, model, settings);
  const result: DryRun = {
    adapter: adapterName(gpu.adapter),
    size: measureModel(model),
    steps,
    tokensPerStep,
    tokens: steps * tokensPerStep,
    fits: fit.reason === undefined,
    fit,
  };
  if (!result.fits) return result;
  const writes = config.sample.tokens > 0;
  const probe = await probed(gpu, { ...run, ...(!writes && { sample: undefined }) }, settings, fit.step!, out);
  return { ...result, probe, seconds: estimateTime(probe, settings, config.sample.every) };
}

/** Probe a run with a folder on the disk that it would be kept on, which is gone afterwards. */
async function probed(
  gpu: Gpu,
  run: PreparedRun,
  settings: TrainSettings,
  step: NonNullable<Fit["step"]>,
  out: string,
): Promise<Probe> {
  const folder = probeFolder(await existing(dirname(resolve(out))));
  try {
    const store = await createRun(folder.path, {});
    const { model, data, sample } = run;
    return await probeRun(gpu, { model, settings, data, store, sample }, step).finally(() => store.close());
  } finally {
    folder.remove();
  }
}

/** A folder in `place`, or where nothing may be written there, among those of the system. */
function probeFolder(place: string): TemporaryFolder {
  const name = "webmoe-dry-run-";
  try {
    return temporaryFolder(join(place, `.${name}`));
  } catch {
    return temporaryFolder(join(tmpdir(), name));
  }
}

/** The folder itself, or the nearest above it that is there. */
async function existing(folder: string): Promise<string> {
  const found = await access(folder).then(
    () => true,
    () => false,
  );
  return found ? folder : existing(dirname(folder));
}
