import type { Tokenizer } from "@webmoe/data";
import type { Model } from "@webmoe/model";
import { key } from "@webmoe/tensor";
import {
  type ClassificationFigures,
  type LanguageFigures,
  type Session,
  splitFrozen,
  type Task,
  type TextData,
  type TrainSettings,
} from "@webmoe/trainer";
import type { Config } from "../config/schema";
import { UsageError } from "../errors";

/** What a run is judged by, of a language model or of a classifier. */
export type Figures = LanguageFigures | ClassificationFigures;

/** A model with what it is to learn, ready to train. */
export interface PreparedRun<F extends Figures = Figures> {
  model: Model;
  data: TextData | Task<F>;
  tokenizer: Tokenizer;
  /** Whether sequences are padded. */
  padded: boolean;
  /** The data, in a few words. */
  about: string;
  /** How good the model is, in one line, and what is to see in a table below it. */
  line(report: { loss: number } & F): string;
  table?(report: F): string;
  /** Text that the model writes, or another of its kind that a session has, where it writes any. */
  sample?(session: Session, like?: Model): Promise<string>;
  /** What to do next with a finished run: a description and a command. */
  next(path: string): [what: string, command: string];
}

/** The settings that a run is trained with. An error where they freeze what the model does not have, or all of it. */
export function settingsOf(config: Config, { padded, model }: PreparedRun): TrainSettings {
  const { freeze = [] } = config;
  try {
    // What starts a model takes its time, and a session does it again.
    if (freeze.length > 0) splitFrozen(model.init(key(0)).parameters, freeze);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  return padded ? { ...config, batch: { ...config.batch, padded } } : config;
}
