import { type ModelConfig, presets } from "@webmoe/model";
import { presetSettings, type TrainSettings } from "@webmoe/trainer";

/** A run in full, as config.json of a run folder has it: what the page trains, the command line can go on with. */
export interface Configuration extends TrainSettings {
  preset: PresetName;
  model: Omit<ModelConfig, "moe">;
  moe: ModelConfig["moe"];
  /** Name of a router and its options; "code" is the one in the editor. */
  router: { name: string; [option: string]: unknown };
  log: { every: number };
  sample: { every: number; tokens: number };
  /** "moby-dick", or the name of a text that the visitor gave. */
  data: string;
  documents: object;
  tokenizer: { name: string };
}

/** The presets that a page offers: models of bytes. */
export const presetNames = ["nano", "tiny", "small"] as const;

export type PresetName = (typeof presetNames)[number];

/** The router that a visitor writes. */
export const CODE = "code";

/** The text that comes with the page. */
export const MOBY_DICK = "moby-dick";

/** What a preset trains: with the recurrent router, validated and kept often, as a page is left more easily than a terminal. */
export function presetConfiguration(preset: PresetName): Configuration {
  const { moe, ...model } = presets[preset].model;
  const settings = presetSettings(preset);
  return {
    preset,
    model,
    moe,
    router: routerChoice("recurrent", preset),
    ...settings,
    validation: { ...settings.validation, every: 50 },
    checkpoint: { ...settings.checkpoint, every: 50 },
    log: { every: 10 },
    sample: { every: 50, tokens: 200 },
    data: MOBY_DICK,
    documents: {},
    tokenizer: { name: "bytes" },
  };
}

/** A router by name with the options that a preset gives it. */
export function routerChoice(name: string, preset: PresetName): Configuration["router"] {
  return name.startsWith("recurrent") ? { name, dim: presets[preset].routerDim } : { name };
}
