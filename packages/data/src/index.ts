export {
  type Batch,
  type BatchAt,
  batchAt,
  bitsPerByte,
  splitTokens,
  type TokenArray,
  validationBatches,
} from "./batches";
export { checkText } from "./check-text";
export { byteTokenizer, type TokenDecoder, type Tokenizer } from "./tokenizer";
