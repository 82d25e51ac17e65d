export { blobTensors } from "./blob-tensors";
export { restore, restoreAveraged, restoreParameters, restorePlain, save } from "./checkpoint";
export { type ClassificationFigures, classificationFigures } from "./classification-figures";
export { classificationTask, type LabelledData } from "./classification-task";
export { type Choice, type Decoder, openDecoder } from "./decoder";
export { estimateTime, type TimeEstimate } from "./estimate-time";
export { splitFrozen } from "./freeze";
export { type GenerateOptions, type Generator, openGenerator, type TracedToken } from "./generate";
export { type LanguageFigures, languageTask, type TextData } from "./language-task";
export { type LoadedModel, loadModel } from "./load-model";
export { type MemoryRun, memoryRun } from "./memory-run";
export type { MemoryKind, MemoryUse } from "./memory-use";
export {
  DoesNotFitError,
  type Fit,
  fitIntoMemory,
  memoryRows,
  openWithinMemory,
  outOfMemoryText,
} from "./open-within-memory";
export { planTraining, type TrainingPlan } from "./plan-training";
export { presetSettings } from "./preset-settings";
export { type Probe, type ProbeOptions, probeSpeed } from "./probe-speed";
export type { Checkpoint, CheckpointParts, RunStore, TensorEntry, TensorReader } from "./run-store";
export { learningRate } from "./schedule";
export {
  type Evaluation,
  openSession,
  type Session,
  type SessionOptions,
} from "./session";
export type { SessionState } from "./session-state";
export { type SettingsChanges, type TrainSettings, trainSettings } from "./settings";
export { type FittingSettings, settingsThatFit } from "./settings-that-fit";
export { type StartOptions, startFrom } from "./start-from";
export type { HostBatch } from "./step-programs";
export { type StepTiming, stepRecord } from "./step-record";
export type { StepValues } from "./step-values";
export { type Task, totalLoad } from "./task";
export { taskOf } from "./task-of";
export { readValues } from "./tensor-values";
export { type TokenRoute, tokenRoutes } from "./token-routes";
export { type Report, type TrainOptions, train, validate } from "./train";
