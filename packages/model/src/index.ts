export { type ModelSize, measureModel, moeLayerCount, type ParameterPart } from "./accounting";
export {
  type Classifier,
  type ClassifierOptions,
  type ClassifierParameters,
  classifier,
  type LabelledBatch,
} from "./classifier";
export { checkConfig, type ModelConfig, moeLayers } from "./config";
export { type FileTensor, fileTensors } from "./file-names";
export {
  IGNORE,
  type LanguageBatch,
  type LanguageModel,
  type LanguageModelParameters,
  languageModel,
  type NextInput,
  type NextOutput,
} from "./language-model";
export type { BatchTensors, LossInput, LossOutput, Model } from "./model";
export { type Preset, type PresetName, presets } from "./presets";
export type { BlockParameters, RoutedLayer, TrunkParameters } from "./trunk";
