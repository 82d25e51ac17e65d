import type { TokenizerJson } from "./tokenizer-json";

/** Turns text into numbers below `vocab`, and back. */
export interface Tokenizer {
  /** What messages and configurations call it. */
  readonly name: string;
  /** Number of different tokens. */
  readonly vocab: number;
  /** Token ids of a text; encoding the parts of a text may give others than encoding the whole. */
  encode(text: string): Uint32Array;
  /** Tokens of a file's bytes. Byte-level tokenizers keep those that are not UTF-8, others read them as U+FFFD. */
  encodeBytes(bytes: Uint8Array): Uint32Array;
  /** Text of tokens; sequences that are not valid text show as U+FFFD. */
  decode(tokens: ArrayLike<number>): string;
  /** Bytes of tokens: for byte-level tokenizers exactly those that were encoded. */
  decodeBytes(tokens: ArrayLike<number>): Uint8Array;
  /** Decodes tokens as they come. */
  decoder(): TokenDecoder;
  /** Bytes of text that each token stands for, where its neighbours do not matter. */
  readonly byteLengths?: Uint32Array;
  /** The tokenizer as Hugging Face's tokenizer.json. */
  toJSON(): TokenizerJson;
}

/** Text of a growing list of tokens: a character whose tokens are not all there waits for the rest. */
export interface TokenDecoder {
  /** The text that more tokens complete. */
  push(tokens: ArrayLike<number>): string;
  /** What is left: U+FFFD for a character cut off. */
  end(): string;
}

/** A byte order mark is text like any other: without this, decoding would swallow it. */
export const KEEP_BOM = { ignoreBOM: true };

/** A decoder of tokens that stand for bytes. */
export function bytesDecoder(decodeBytes: (tokens: ArrayLike<number>) => Uint8Array): TokenDecoder {
  const text = new TextDecoder("utf-8", KEEP_BOM);
  return {
    push: (tokens) => text.decode(decodeBytes(tokens), { stream: true }),
    end: () => text.decode(),
  };
}
