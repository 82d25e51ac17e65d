/** Turns text into numbers below `vocab`, and back. */
export interface Tokenizer {
  readonly name: string;
  /** Number of different tokens. */
  readonly vocab: number;
  encode(text: string): Uint32Array;
  /** Text of tokens; sequences that are not valid text show as U+FFFD. */
  decode(tokens: ArrayLike<number>): string;
}

/** Tokens are the bytes of UTF-8: 256 of them, and every text and file can be encoded. */
export function byteTokenizer(): Tokenizer {
  return {
    name: "bytes",
    vocab: 256,
    encode: (text) => Uint32Array.from(new TextEncoder().encode(text)),
    decode: (tokens) => new TextDecoder().decode(Uint8Array.from(tokens)),
  };
}
