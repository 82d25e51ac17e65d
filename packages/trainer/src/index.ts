export { blobTensors } from "./checkpoint/blob-tensors";
export { restore, restoreAveraged, restoreParameters, restorePlain, save } from "./checkpoint/checkpoint";
export { type LoadedModel, loadModel } from "./checkpoint/load-model";
export { type MemoryRun, memoryRun } from "./checkpoint/memory-run";
export type { Checkpoint, CheckpointParts, RunStore, TensorEntry, TensorReader } from "./checkpoint/run-store";
export { type StartOptions, startFrom } from "./checkpoint/start-from";
export { readValues } from "./checkpoint/tensor-values";
export { splitFrozen } from "./freeze";
export { type Choice, type Decoder, openDecoder } from "./generation/decoder";
export { type GenerateOptions, type Generator, openGenerator, type TracedToken } from "./generation/generate";
export { type TokenRoute, tokenRoutes } from "./generation/token-routes";
export { estimateTime, type TimeEstimate } from "./planning/estimate-time";
export type { MemoryKind, MemoryUse } from "./planning/memory-use";
export {
  DoesNotFitError,
  type Fit,
  fitIntoMemory,
  memoryRows,
  openWithinMemory,
  outOfMemoryText,
} from "./planning/open-within-memory";
export { planTraining, type TrainingPlan } from "./planning/plan-training";
export { probeRun } from "./planning/probe-run";
export { type Probe, type ProbeOptions, probeSpeed } from "./planning/probe-speed";
export { type FittingSettings, settingsThatFit } from "./planning/settings-that-fit";
export { presetSettings } from "./preset-settings";
export { learningRate } from "./schedule";
export {
  type Evaluation,
  openSession,
  type Session,
  type SessionOptions,
} from "./session";
export type { SessionState } from "./session-state";
export { type SettingsChanges, type TrainSettings, trainSettings } from "./settings";
export type { HostBatch } from "./step/step-programs";
export { type StepTiming, stepRecord } from "./step/step-record";
export type { StepValues } from "./step/step-values";
export { type ClassificationFigures, classificationFigures } from "./tasks/classification-figures";
export { classificationTask, type LabelledData } from "./tasks/classification-task";
export { type LanguageFigures, languageTask, type TextData } from "./tasks/language-task";
export { type Task, totalLoad } from "./tasks/task";
export { taskOf } from "./tasks/task-of";
export { type Report, type TrainOptions, train, validate } from "./train";
