/** Hugging Face's tokenizer.json, as far as this package looks into it. */
export interface TokenizerJson {
  version?: string;
  added_tokens?: AddedToken[];
  normalizer?: unknown;
  pre_tokenizer?: Part | null;
  post_processor?: unknown;
  decoder?: Part | null;
  model: Part & {
    vocab?: Record<string, number> | [string, number][];
    merges?: (string | [string, string])[];
    unk_token?: string | null;
  };
  [other: string]: unknown;
}

/** A token that is found in text before anything else is, such as a mark between documents. */
export interface AddedToken {
  id: number;
  content: string;
  special: boolean;
  single_word: boolean;
  lstrip: boolean;
  rstrip: boolean;
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
