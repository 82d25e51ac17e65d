import { type Batch, type BatchAt, batchAt, bitsPerByte, type Tokens, validationBatches } from "@webmoe/data";
import type { Task } from "./task";

/** Text to learn from, in tokens. */
export interface TextData {
  /** Tokens to learn from. */
  train: Tokens;
  /** Tokens that are held out. */
  validation: Tokens;
  /** How batches are drawn from the training part, a function of (seed, step); default: of packed text. */
  batchAt?(at: BatchAt): Batch;
  /** Bytes of text per token, for bits per byte; default 1. */
  bytesPerToken?: number;
}

/** How a language model is judged. */
export interface LanguageFigures {
  /** The loss in bits for each byte of text, whatever the tokenizer. */
  bitsPerByte: number;
}

/** Predict the next token of a text; judged by the mean loss over batches of its held-out part. */
export function languageTask(
  data: TextData,
  { batch, context, batches }: { batch: number; context: number; batches: number },
): Task<LanguageFigures> {
  return {
    batchAt: (at) => (data.batchAt ? data.batchAt(at) : batchAt(data.train, at)),
    validation: validationBatches(data.validation, { batch, context, batches }),
    judge(evaluations) {
      const loss = evaluations.reduce((sum, evaluation) => sum + evaluation.loss, 0) / evaluations.length;
      return { loss, bitsPerByte: bitsPerByte(loss, 1, data.bytesPerToken ?? 1) };
    },
  };
}
