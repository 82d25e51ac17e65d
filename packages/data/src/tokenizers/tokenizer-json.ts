/** Hugging Face's tokenizer.json, as far as this package looks into it. */
export interface TokenizerJson {
  /** The version of the format, "1.0". */
  version?: string;
  /** Tokens that are found before anything else in a text. */
  added_tokens?: AddedToken[];
  /** What changes a text before it is cut; null for nothing. */
  normalizer?: unknown;
  /** What cuts a text into words, which are encoded one by one; null for one piece. */
  pre_tokenizer?: Part | null;
  /** What adds tokens around a text; null for none. */
  post_processor?: unknown;
  /** What joins the texts of tokens; null where they are simply put together. */
  decoder?: Part | null;
  /** How a word becomes tokens, a BPE for example. */
  model: Part & {
    /** Every token with its number; of Unigram a list of tokens with their scores. */
    vocab?: Record<string, number> | [string, number][];
    /** Pairs that a BPE joins, the earlier first: "a b", or the two apart. */
    merges?: (string | [string, string])[];
    /** The token of what has none; null where there is none. */
    unk_token?: string | null;
  };
  [other: string]: unknown;
}

/** A token that is found in text before anything else is, such as a mark between documents. */
export interface AddedToken {
  /** Its number, below the size of the vocabulary. */
  id: number;
  /** The text that it stands for. */
  content: string;
  /** Whether it is a mark, such as the end of a text, and not words. */
  special: boolean;
  /** Whether it is found between word boundaries alone. */
  single_word: boolean;
  /** Whether it takes the white space before it along. */
  lstrip: boolean;
  /** Whether it takes the white space after it along. */
  rstrip: boolean;
  /** Whether it is looked for after the text is normalised. */
  normalized: boolean;
}

interface Part {
  type?: string;
  [option: string]: unknown;
}

/** tokenizer.json of a byte-level BPE: its tokens written in the byte alphabet, its merges in order. */
export function byteLevelJson(
  vocab: Record<string, number>,
  merges: [string, string][],
  special: { id: number; content: string }[] = [],
  splitWords = true,
): TokenizerJson {
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: splitWords };
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: special.map((token) => ({
      ...token,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: null,
    decoder: byteLevel,
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab,
      merges,
    },
  };
}
