import { type PresetName, presets } from "@webmoe/model";
import { type SettingsChanges, type TrainSettings, trainSettings } from "./settings";

/** How each preset is trained: what differs from the defaults of `trainSettings`. */
const recipes: Record<PresetName, SettingsChanges> = {
  nano: {},
  tiny: { train: { steps: 600 }, optimizer: { lr: 1e-3, decay: "all" }, schedule: { warmup: 50 } },
  small: { train: { steps: 2000 }, optimizer: { lr: 6e-4, decay: "all" }, schedule: { warmup: 100 } },
  base: { train: { steps: 5000 }, optimizer: { lr: 3e-4, decay: "all" }, schedule: { warmup: 500 } },
};

/** The settings that a preset of `@webmoe/model` is trained with. */
export function presetSettings(name: PresetName): TrainSettings {
  return trainSettings({ ...recipes[name], batch: { size: presets[name].batch } });
}
