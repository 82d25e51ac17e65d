import { KEEP_BOM, type Tokenizer } from "./tokenizer";
import type { TokenizerJson } from "./tokenizer-json";

/** What a character that was not in the list is encoded as. */
const UNKNOWN = "<unk>";

/**
 * Tokens are characters (code points): those given, in their order, after number 0 for any other. An unknown one is
 * decoded as U+FFFD.
 */
export function characterTokenizer(characters: Iterable<string>): Tokenizer {
  const list = [...characters];
  const ids = new Map(list.map((character, index) => [character, index + 1]));
  if (list.length === 0 || ids.size !== list.length || list.some((character) => [...character].length !== 1)) {
    throw new Error(`characterTokenizer: needs single characters, each once, got ${JSON.stringify(list.slice(0, 20))}`);
  }
  const texts = ["\ufffd", ...list];
  const utf8 = new TextEncoder();
  const encode = (text: string) => Uint32Array.from(Array.from(text, (character) => ids.get(character) ?? 0));
  const decode = (tokens: ArrayLike<number>) => Array.from(tokens, (token) => texts[token] ?? "\ufffd").join("");
  return {
    name: "characters",
    vocab: texts.length,
    encode,
    encodeBytes: (bytes) => encode(new TextDecoder("utf-8", KEEP_BOM).decode(bytes)),
    decode,
    decodeBytes: (tokens) => utf8.encode(decode(tokens)),
    decoder: () => ({ push: decode, end: () => "" }),
    byteLengths: Uint32Array.from(texts, (text) => utf8.encode(text).length),
    toJSON: () => characterJson(list),
  };
}

/** Characters of texts, sorted by code point. */
export function characterSet(): { add(text: string): void; list(): string[] } {
  const seen = new Set<string>();
  return {
    add(text) {
      for (const character of text) seen.add(character);
    },
    list: () => [...seen].sort((a, b) => a.codePointAt(0)! - b.codePointAt(0)!),
  };
}

const EVERY_CHARACTER = "[\\s\\S]";

function characterJson(characters: string[]): TokenizerJson {
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: { type: "Split", pattern: { Regex: EVERY_CHARACTER }, behavior: "Isolated", invert: false },
    post_processor: null,
    decoder: { type: "Fuse" },
    model: {
      type: "WordLevel",
      vocab: Object.fromEntries([UNKNOWN, ...characters].map((character, id) => [character, id])),
      unk_token: UNKNOWN,
    },
  };
}

/** Whether a tokenizer.json is one that `characterTokenizer` writes. */
export function isCharacterJson({ model, pre_tokenizer, decoder }: TokenizerJson): boolean {
  const pattern = (pre_tokenizer?.pattern as { Regex?: string } | undefined)?.Regex;
  return model.type === "WordLevel" && pattern === EVERY_CHARACTER && decoder?.type === "Fuse";
}

/** The character tokenizer of its tokenizer.json. */
export function readCharacterTokenizer({ model }: TokenizerJson): Tokenizer {
  const entries = Object.entries(model.vocab as Record<string, number>).sort(([, a], [, b]) => a - b);
  if (entries[0]?.[0] !== UNKNOWN || entries.some(([, id], index) => id !== index)) {
    throw new Error(`readTokenizer: needs characters numbered from 1 after ${UNKNOWN}, got ${entries[0]}`);
  }
  return characterTokenizer(entries.slice(1).map(([character]) => character));
}
