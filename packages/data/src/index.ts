export { type Batch, type BatchAt, batchAt, bitsPerByte, splitTokens, type TokenArray, validationBatches } from "./batches";
export { byteTokenizer, type Tokenizer } from "./tokenizer";
