import { bytesDecoder, KEEP_BOM, type Tokenizer } from "./tokenizer";
import type { TokenizerJson } from "./tokenizer-json";
import { utf8Runs } from "./utf8-runs";

/** Half a character of UTF-16, which no bytes of UTF-8 stand for. */
const LONE_SURROGATE = /\p{Surrogate}/gu;

/** What a tokenizer whose tokens are strings of bytes is made from. */
export interface ByteLevelParts {
  name: string;
  /** Bytes of every token; undefined for numbers that stand for nothing. */
  tokens: readonly (Uint8Array | undefined)[];
  encodeText(text: string): ArrayLike<number>;
  toJSON(): TokenizerJson;
}

/** A tokenizer whose tokens are strings of bytes, each single byte among them, so that every file can be encoded. */
export function byteLevelTokenizer({ name, tokens, encodeText, toJSON }: ByteLevelParts): Tokenizer {
  const byteLengths = Uint32Array.from(tokens, (bytes) => bytes?.length ?? 0);
  const singles = new Int32Array(256).fill(-1);
  for (const [token, bytes] of tokens.entries()) {
    if (bytes?.length === 1 && singles[bytes[0]!]! < 0) singles[bytes[0]!] = token;
  }
  const missing = singles.indexOf(-1);
  if (missing >= 0) throw new Error(`tokenizer ${name}: needs a token for every byte, and has none for ${missing}`);

  const decodeBytes = (ids: ArrayLike<number>) => {
    let length = 0;
    for (let i = 0; i < ids.length; i++) length += byteLengths[ids[i]!] ?? 0;
    const bytes = new Uint8Array(length);
    let at = 0;
    for (let i = 0; i < ids.length; i++) {
      const part = tokens[ids[i]!];
      if (!part) continue;
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  };

  return {
    name,
    vocab: tokens.length,
    encode: (text) => Uint32Array.from(encodeText(text.replace(LONE_SURROGATE, "\ufffd"))),
    encodeBytes(bytes) {
      const ids: number[] = [];
      const text = new TextDecoder("utf-8", KEEP_BOM);
      for (const run of utf8Runs(bytes)) {
        if ("broken" in run) ids.push(singles[run.broken]!);
        else {
          const found = encodeText(text.decode(run.text));
          for (let i = 0; i < found.length; i++) ids.push(found[i]!);
        }
      }
      return Uint32Array.from(ids);
    },
    decode: (ids) => new TextDecoder("utf-8", KEEP_BOM).decode(decodeBytes(ids)),
    decodeBytes,
    decoder: () => bytesDecoder(decodeBytes),
    byteLengths,
    toJSON,
  };
}
