import type { LanguageModel } from "@webmoe/model";
import { openWithinMemory } from "@webmoe/trainer";
import type { Gpu } from "@webmoe/webgpu";
import type { Config } from "../config/schema";
import { compareStretches, type StretchCost, type StretchOptions } from "./compare-stretches";
import { randomBatches } from "./random-batches";
import { type Subject, subjectOf } from "./subject";

/** What it costs steps to read the loss of each. */
export interface ReadingCost extends Subject, StretchCost {}

/**
 * Train one model in turns, a stretch of steps of which the last one's loss is read and one in which every loss is, when the next
 * step is queued, as the trainer does.
 */
export async function timeReading(
  gpu: Gpu,
  model: LanguageModel,
  config: Config,
  options: StretchOptions,
): Promise<ReadingCost> {
  const session = await openWithinMemory(gpu, model, config);
  const batches = randomBatches(config);
  const { lr } = config.optimizer;
  let step = 0;
  const stretch = (readsEvery: boolean) => async (steps: number) => {
    const start = performance.now();
    let before: Promise<{ loss: number }> | undefined;
    for (let done = 0; done < steps; done++) {
      step++;
      const { values } = await session.step(batches(step), lr, step);
      if (readsEvery) await before;
      before = values;
    }
    await before;
    return (performance.now() - start) / steps;
  };
  try {
    return {
      ...subjectOf(gpu, model, config),
      ...(await compareStretches(stretch(false), stretch(true), options)),
    };
  } finally {
    session.close();
  }
}
