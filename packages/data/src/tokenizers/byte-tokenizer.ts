import { BYTE_ALPHABET } from "./byte-alphabet";
import { bytesDecoder, KEEP_BOM, type Tokenizer } from "./tokenizer";
import { byteLevelJson } from "./tokenizer-json";

/** Tokens are the bytes of UTF-8: 256 of them, and every text and file can be encoded. */
export function byteTokenizer(): Tokenizer {
  const decodeBytes = (tokens: ArrayLike<number>) => Uint8Array.from(tokens);
  return {
    name: "bytes",
    vocab: 256,
    encode: (text) => Uint32Array.from(new TextEncoder().encode(text)),
    encodeBytes: (bytes) => Uint32Array.from(bytes),
    decode: (tokens) => new TextDecoder("utf-8", KEEP_BOM).decode(decodeBytes(tokens)),
    decodeBytes,
    decoder: () => bytesDecoder(decodeBytes),
    byteLengths: new Uint32Array(256).fill(1),
    toJSON: () => byteLevelJson(Object.fromEntries(BYTE_ALPHABET.map((character, byte) => [character, byte])), []),
  };
}
