export { type ModelSize, measureModel, moeLayerCount } from "./accounting";
export { checkConfig, type ModelConfig, moeLayers } from "./config";
export { type FileTensor, fileTensors } from "./file-names";
export {
  type Batch,
  type BlockParameters,
  IGNORE,
  type LanguageModel,
  type LanguageModelParameters,
  type LossOutput,
  languageModel,
  type NextInput,
} from "./language-model";
export { type Preset, type PresetName, presets } from "./presets";
