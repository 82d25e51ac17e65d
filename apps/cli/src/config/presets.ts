import { type PresetName, presets } from "@webmoe/model";
import { presetSettings } from "@webmoe/trainer";
import type { Config } from "./schema";

/** The configuration of a preset with the recurrent router. */
export function presetConfig(name: PresetName): Config {
  const { model, routerDim } = presets[name];
  const { moe, ...sizes } = model;
  return {
    preset: name,
    model: sizes,
    moe: { ...moe },
    router: { name: "recurrent", dim: routerDim },
    ...presetSettings(name),
    task: "language",
    classification: {},
    start: {},
    log: { every: 10, tensorboard: false },
    sample: { every: 0, tokens: 200 },
    data: "moby-dick",
    documents: {},
    tokenizer: { name: "bytes" },
  };
}
