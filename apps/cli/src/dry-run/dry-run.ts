import { measureModel } from "@webmoe/model";
import { estimateSeconds, fitIntoMemory, openWithinMemory, outOfMemoryText, probeSpeed, taskOf } from "@webmoe/trainer";
import { adapterName, type Gpu, OutOfMemoryError } from "@webmoe/webgpu";
import type { Config } from "../config/schema";
import { openDevice } from "../open-device";
import { type PreparedRun, settingsOf } from "../tasks/prepared-run";
import { aboutRun } from "../terminal/about-run";
import { type DryRun, dryRunText } from "./dry-run-text";

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
