/** Turns text into numbers below `vocab`, and back. */
export interface Tokenizer {
  readonly name: string;
  /** Number of different tokens. */
  readonly vocab: number;
  encode(text: string): Uint32Array;
  /** Text of tokens; sequences that are not valid text show as U+FFFD. */
  decode(tokens: ArrayLike<number>): string;
  /** Decodes tokens as they come. */
  decoder(): TokenDecoder;
}

/** Text of a growing list of tokens: a character whose tokens are not all there waits for the rest. */
export interface TokenDecoder {
  /** The text that more tokens complete. */
  push(tokens: ArrayLike<number>): string;
  /** What is left: U+FFFD for a character cut off. */
  end(): string;
}

/** A byte order mark is text like any other: without this, decoding would swallow it. */
const KEEP_BOM = { ignoreBOM: true };

/** Tokens are the bytes of UTF-8: 256 of them, and every text and file can be encoded. */
export function byteTokenizer(): Tokenizer {
  return {
    name: "bytes",
    vocab: 256,
    encode: (text) => Uint32Array.from(new TextEncoder().encode(text)),
    decode: (tokens) => new TextDecoder("utf-8", KEEP_BOM).decode(Uint8Array.from(tokens)),
    decoder() {
      const text = new TextDecoder("utf-8", KEEP_BOM);
      return {
        push: (tokens) => text.decode(Uint8Array.from(tokens), { stream: true }),
        end: () => text.decode(),
      };
    },
  };
}
