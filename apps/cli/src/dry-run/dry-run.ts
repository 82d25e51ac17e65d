import { type ModelSize, measureModel } from "@webmoe/model";
import {
  estimateSeconds,
  type Fit,
  fitIntoMemory,
  openWithinMemory,
  outOfMemoryText,
  type Probe,
  probeSpeed,
  taskOf,
} from "@webmoe/trainer";
import { adapterName, type Gpu, OutOfMemoryError } from "@webmoe/webgpu";
import type { Config } from "../config/schema";
import { openDevice } from "../open-device";
import { type PreparedRun, settingsOf } from "../tasks/prepared-run";
import { aboutRun } from "../terminal/about-run";
import { dryRunText } from "./dry-run-text";

/** What a run would take. */
export interface DryRun {
  adapter: string;
  size: ModelSize;
  steps: number;
  tokensPerStep: number;
  /** Tokens of the whole run. */
  tokens: number;
  fits: boolean;
  fit: Fit;
  /** Where it fits: its speed, and seconds for all of it. */
  probe?: Probe;
  seconds?: number;
}

/** Print what a run would take, and train no more than the few steps that tell its speed. Throws where it does not fit. */
export async function dryRun(config: Config, run: PreparedRun, { json }: { json: boolean }): Promise<void> {
  if (!json) console.log(aboutRun(config, run));
  const gpu = await openDevice(config);
  try {
    const result = await measured(gpu, config, run);
    console.log(json ? JSON.stringify(result) : `\n${dryRunText(result)}`);
    // Memory by kind is in what was printed.
    if (!result.fits) throw new OutOfMemoryError(outOfMemoryText({ ...result.fit, memory: undefined }));
  } finally {
    gpu.close();
  }
}

async function measured(gpu: Gpu, config: Config, run: PreparedRun): Promise<DryRun> {
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
  const session = await openWithinMemory(gpu, model, settings);
  const probe = await probeSpeed(session, taskOf(run.data, model, settings), model, settings);
  session.close();
  return { ...result, probe, seconds: estimateSeconds(probe, settings) };
}
