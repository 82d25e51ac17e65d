import { fromAlphabet, toAlphabet } from "./byte-alphabet";
import { byteLevelTokenizer } from "./byte-level-tokenizer";
import { isCharacterJson, readCharacterTokenizer } from "./character-tokenizer";
import { KEEP_BOM, type Tokenizer } from "./tokenizer";
import type { TokenizerJson } from "./tokenizer-json";
import { detached, splitWords } from "./words";

type Library = InstanceType<typeof import("@huggingface/tokenizers").Tokenizer>;

/** Words whose tokens are kept; a text's common words are encoded once. */
const CACHED_WORDS = 1 << 17;

/**
 * The tokenizer of a tokenizer.json in Hugging Face's format, of any kind. Special tokens are found in text and none are
 * added. `name` is for messages.
 */
export async function readTokenizer(json: unknown, name = "tokenizer.json"): Promise<Tokenizer> {
  const checked = checkedJson(json, name);
  if (isCharacterJson(checked)) return readCharacterTokenizer(checked);
  const names = tokenNames(checked, name);
  const { Tokenizer } = await import("@huggingface/tokenizers");
  try {
    const library = new Tokenizer(checked, {});
    const bytes = isByteLevel(checked) ? tokenBytes(checked, names) : undefined;
    const tokenizer = bytes
      ? byteLevelTokenizer({ name, tokens: bytes, encodeText: byWords(library, checked, names), toJSON: () => checked })
      : wholeText(library, checked, name, names.length);
    // A part that is missing is missed at the first use.
    tokenizer.decode(tokenizer.encode("a b"));
    return tokenizer;
  } catch (error) {
    throw new Error(
      `readTokenizer: needs a tokenizer that can be opened, and ${name} cannot: ${(error as Error).message}`,
    );
  }
}

function checkedJson(json: unknown, name: string): TokenizerJson {
  const model = (json as TokenizerJson | null)?.model;
  if (typeof model !== "object" || model === null || typeof model.vocab !== "object" || model.vocab === null) {
    throw new Error(`readTokenizer: needs a Hugging Face tokenizer.json with model.vocab, and ${name} is none`);
  }
  const none = { added_tokens: [], normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null };
  return { ...none, ...(json as TokenizerJson) };
}

/** Most tokens that a file may number: a number far out would ask for as long a table. */
const MOST_TOKENS = 1 << 22;

/** The token of each number, as it is written in the file. */
function tokenNames({ model, added_tokens }: TokenizerJson, name: string): (string | undefined)[] {
  const names: (string | undefined)[] = [];
  const put = (token: unknown, id: unknown) => {
    if (typeof token !== "string" || !Number.isInteger(id) || (id as number) < 0 || (id as number) >= MOST_TOKENS) {
      throw new Error(
        `readTokenizer: needs tokens numbered from 0 to ${MOST_TOKENS - 1}, and ${name} has ${JSON.stringify(token)}: ${JSON.stringify(id)}`,
      );
    }
    names[id as number] = token;
  };
  // Unigram lists pairs of a token and its score, in the order of their numbers.
  if (Array.isArray(model.vocab)) for (const [id, entry] of model.vocab.entries()) put(entry?.[0], id);
  else for (const [token, id] of Object.entries(model.vocab!)) put(token, id);
  if (Array.isArray(added_tokens)) for (const token of added_tokens) put(token?.content, token?.id);
  if (names.length === 0) throw new Error(`readTokenizer: needs tokens, and ${name} has none`);
  return Array.from(names);
}

/** Whether words are split first and then written as bytes, so that tokens stand for bytes whatever is beside them. */
function isByteLevel({ model, normalizer, pre_tokenizer, added_tokens = [] }: TokenizerJson): boolean {
  const parts = pre_tokenizer?.type === "Sequence" ? (pre_tokenizer.pretokenizers as unknown[]) : [pre_tokenizer];
  const known = (part: unknown) => {
    const { type, add_prefix_space, behavior } = (part ?? {}) as Record<string, unknown>;
    return type === "ByteLevel"
      ? !add_prefix_space
      : type === "Digits" || (type === "Split" && behavior === "Isolated");
  };
  return (
    (model.type ?? "BPE") === "BPE" &&
    !normalizer &&
    Array.isArray(parts) &&
    (parts.at(-1) as { type?: string } | null)?.type === "ByteLevel" &&
    parts.every(known) &&
    added_tokens.every((token) => !token.lstrip && !token.rstrip && !token.single_word)
  );
}

/** Bytes of every token, or undefined where some byte or token has none. */
function tokenBytes({ added_tokens = [] }: TokenizerJson, names: (string | undefined)[]) {
  const utf8 = new TextEncoder();
  const added = new Set(added_tokens.map(({ id }) => id));
  const bytes = names.map((name, id) => {
    if (name === undefined) return undefined;
    return added.has(id) ? utf8.encode(name) : fromAlphabet(name);
  });
  const singles = new Set(bytes.filter((token) => token?.length === 1).map((token) => token![0]!));
  const whole = bytes.every((token, id) => token !== undefined || names[id] === undefined);
  return whole && singles.size === 256 ? bytes : undefined;
}

/** Encode word by word through the library's parts and remember each word: much faster than whole texts. */
function byWords(library: Library, json: TokenizerJson, names: (string | undefined)[]) {
  const { added_tokens = [], pre_tokenizer } = json;
  const ids = new Map(names.flatMap((name, id) => (name === undefined ? [] : [[name, id] as const])));
  const special = new Map(added_tokens.map(({ content, id }) => [content, id]));
  const marks = [...special.keys()].filter(Boolean).sort((a, b) => b.length - a.length);
  const splitter = marks.length > 0 ? new RegExp(`(${marks.map(escapeRegExp).join("|")})`) : undefined;
  const cache = new Map<string, number[]>();
  const utf8 = new TextEncoder();
  // GPT-2's own way to split needs no more than one regular expression: its words are written as bytes when they are new.
  const plain = pre_tokenizer?.type === "ByteLevel" && pre_tokenizer.use_regex !== false;
  const words = plain ? splitWords : (part: string) => library.pre_tokenizer!.pre_tokenize(part);
  const encodeWord = (word: string): number[] => {
    const found = cache.get(word);
    if (found) return found;
    const written = plain ? toAlphabet(utf8.encode(word)) : word;
    const encoded = library.model!.encode([written]).map((token) => ids.get(token)!);
    if (cache.size >= CACHED_WORDS) cache.clear();
    cache.set(detached(word), encoded);
    return encoded;
  };
  return (text: string): number[] => {
    const result: number[] = [];
    for (const part of splitter ? text.split(splitter) : [text]) {
      const mark = special.get(part);
      if (mark !== undefined) result.push(mark);
      else if (part) for (const word of words(part)) result.push(...encodeWord(word));
    }
    return result;
  };
}

const escapeRegExp = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** Tokenizers that look at a text as a whole: WordPiece, Unigram, and those that normalise. */
function wholeText(library: Library, json: TokenizerJson, name: string, vocab: number): Tokenizer {
  const utf8 = new TextEncoder();
  const encode = (text: string) => Uint32Array.from(library.encode(text, { add_special_tokens: false }).ids);
  const decode = (tokens: ArrayLike<number>) =>
    library.decode(Array.from(tokens), { skip_special_tokens: false, clean_up_tokenization_spaces: false });
  return {
    name,
    vocab,
    encode,
    encodeBytes: (bytes) => encode(new TextDecoder("utf-8", KEEP_BOM).decode(bytes)),
    decode,
    decodeBytes: (tokens) => utf8.encode(decode(tokens)),
    decoder() {
      const all: number[] = [];
      let written = "";
      const advance = (whole: string) => {
        // What was written stays; a last character that is not whole, or may change with the next token, waits.
        const next = whole.startsWith(written) ? whole.slice(written.length) : "";
        written += next;
        return next;
      };
      return {
        push(tokens) {
          for (let i = 0; i < tokens.length; i++) all.push(tokens[i]!);
          return advance(decode(all).replace(/\ufffd+$/, ""));
        },
        end: () => advance(decode(all)),
      };
    },
    toJSON: () => json,
  };
}
