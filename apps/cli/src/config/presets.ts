import { type PresetName, presets } from "@webmoe/model";
import type { Config } from "./schema";

interface Recipe {
  steps: number;
  lr: number;
  warmup: number;
  validationBatches: number;
  decay: Config["optimizer"]["decay"];
}

/** How each preset is trained unless told otherwise. */
const recipes: Record<PresetName, Recipe> = {
  nano: { steps: 300, lr: 3e-3, warmup: 20, validationBatches: 8, decay: "matrices" },
  tiny: { steps: 600, lr: 1e-3, warmup: 50, validationBatches: 8, decay: "all" },
  small: { steps: 2000, lr: 6e-4, warmup: 100, validationBatches: 8, decay: "all" },
  base: { steps: 5000, lr: 3e-4, warmup: 500, validationBatches: 8, decay: "all" },
};

/** The configuration of a preset with the recurrent router. */
export function presetConfig(name: PresetName): Config {
  const { model, routerDim, batch } = presets[name];
  const { moe, ...sizes } = model;
  const { steps, lr, warmup, validationBatches, decay } = recipes[name];
  return {
    preset: name,
    model: sizes,
    moe,
    router: { name: "recurrent", dim: routerDim },
    optimizer: { lr, beta1: 0.9, beta2: 0.95, eps: 1e-8, weightDecay: 0.1, decay, clip: 1 },
    batch: { size: batch, accumulate: 1 },
    schedule: { name: "cosine", warmup, minLr: 0.1 },
    train: { steps },
    validation: { every: 0, batches: validationBatches },
    checkpoint: { every: 0, keep: 3 },
    log: { every: 10 },
    sample: { every: 0, tokens: 200 },
    data: "moby-dick",
    precision: "f32",
    seed: 1,
  };
}
