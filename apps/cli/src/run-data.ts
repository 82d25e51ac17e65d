import {
  type BatchAt,
  bytesPerTarget,
  documentBatchAt,
  documentsWithin,
  splitTokens,
  type Tokenizer,
  type Tokens,
  validationBatches,
} from "@webmoe/data";
import type { TextData } from "@webmoe/trainer";
import type { Config } from "./config/schema";
import { UsageError } from "./errors";
import type { TokenizedText } from "./run-text";

/** What a run learns from and is validated on; a text that is too short is an error. */
export function trainingData(text: TokenizedText, config: Config): TextData {
  checkLength(text.tokens.length, config);
  return { ...splitTokens(text.tokens), ...paddedBatches(text) };
}

/** With `documents.pack=false` a sequence is a document of the training part; validation is of running text in any case. */
function paddedBatches({ tokens, documents }: TokenizedText) {
  if (!documents) return {};
  const { train } = splitTokens(tokens);
  const whole = documentsWithin(documents, train.length);
  return { batchAt: (at: BatchAt) => documentBatchAt(train, whole, at) };
}

function checkLength(length: number, config: Config): void {
  // A tenth is kept for validation and has to hold one sequence too.
  const needed = 10 * (config.model.context + 1);
  if (length < needed) {
    const units = config.tokenizer.name === "bytes" ? "bytes" : "tokens";
    throw new UsageError(
      `data: needs at least ${needed} ${units} for model.context ${config.model.context} (a tenth is for validation), got ${length}: ` +
        "use a longer text, or --set model.context=…",
    );
  }
}

/** Bytes that a token of held-out batches stands for; where a token alone does not tell, those of the whole text. */
export function bytesOfHeldOut(
  tokens: Tokens,
  text: TokenizedText,
  { byteLengths }: Tokenizer,
  config: Config,
): number {
  if (!byteLengths) return text.bytesPerToken;
  const { size } = config.batch;
  const held = validationBatches(tokens, {
    batch: size,
    context: config.model.context,
    batches: config.validation.batches,
  });
  return bytesPerTarget(held, byteLengths);
}

/** The model has a row for each token, unless it is told to have more by the keys that were `given`. */
export function vocabOf(config: Config, tokenizer: Tokenizer, given: Set<string>): number {
  if (!given.has("model.vocab")) return tokenizer.vocab;
  if (config.model.vocab >= tokenizer.vocab) return config.model.vocab;
  throw new UsageError(
    `model.vocab: needs at least ${tokenizer.vocab} for the ${tokenizer.name} tokenizer, got ${config.model.vocab}`,
  );
}
