import type { Model } from "@webmoe/model";
import type { TrainSettings } from "../settings";
import { type LanguageFigures, languageTask, type TextData } from "./language-task";
import type { Task } from "./task";

/** The task that is meant by what a run is given to learn: text is for a language model. */
export function taskOf<Figures extends object = LanguageFigures>(
  data: TextData | Task<Figures>,
  { config }: Model,
  { batch, validation }: TrainSettings,
): Task<Figures> {
  if ("judge" in data) return data;
  const sizes = { batch: batch.size, context: config.context, batches: validation.batches };
  return languageTask(data, sizes) as unknown as Task<Figures>;
}
