export {
  type Batch,
  type BatchAt,
  batchAt,
  bitsPerByte,
  splitTokens,
  type TokenArray,
  validationBatches,
} from "./batches";
export { byteTokenizer, type TokenDecoder, type Tokenizer } from "./tokenizer";
