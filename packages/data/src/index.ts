export {
  type Batch,
  type BatchAt,
  batchAt,
  bitsPerByte,
  bytesPerTarget,
  IGNORED,
  splitTokens,
  validationBatches,
} from "./batches";
export { checkText } from "./corpora/check-text";
export { type Documents, documentBatchAt, documentsWithin } from "./document-batches";
export { type Example, labelsOf } from "./examples/example";
export {
  encodeExamples,
  inOrder,
  type LabelledBatch,
  type LabelledTokens,
  labelledBatches,
  splitExamples,
} from "./examples/labelled-batches";
export type { TokenArray, TokenSource, Tokens } from "./token-source";
export { byteTokenizer } from "./tokenizers/byte-tokenizer";
export { characterSet, characterTokenizer } from "./tokenizers/character-tokenizer";
export { gpt2Tokenizer } from "./tokenizers/gpt2-tokenizer";
export { readTokenizer } from "./tokenizers/hugging-face-tokenizer";
export type { TokenDecoder, Tokenizer } from "./tokenizers/tokenizer";
export type { AddedToken, TokenizerJson } from "./tokenizers/tokenizer-json";
export { type BpeTrainer, bpeTrainer, type TrainBpeOptions } from "./tokenizers/train-bpe";
