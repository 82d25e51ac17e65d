/** How GPT-2 splits text: contractions, words and numbers with the space before them, other signs, white space. */
const WORDS = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

/** Words of a text, which together are the text; byte-level BPE never merges across them. */
export function splitWords(text: string): string[] {
  return text.match(WORDS) ?? [];
}

/** A copy of a word that does not keep the text alive which it was cut from. */
export function detached(word: string): string {
  return decoder.decode(encoder.encode(word));
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
