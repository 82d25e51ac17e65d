/** Tokens of a corpus in memory; bytes are kept as bytes. */
export type TokenArray = Uint8Array | Uint16Array | Uint32Array;

/** A long list of tokens that is read in pieces, such as files on a disk. */
export interface TokenSource {
  /** How many tokens there are. */
  readonly length: number;
  /** Fill `into` with the tokens from `start` on. */
  read(start: number, into: Uint32Array): void;
  /** The tokens from `start` up to but not `end`, without reading them. */
  subarray(start: number, end?: number): TokenSource;
}

/** Tokens, wherever they are. */
export type Tokens = TokenArray | TokenSource;

/** Fill `into` with the tokens from `start` on. */
export function readTokens(tokens: Tokens, start: number, into: Uint32Array): void {
  if ("read" in tokens) tokens.read(start, into);
  else into.set(tokens.subarray(start, start + into.length));
}

/** Part of a source, as a source. */
export function sourceRange(whole: TokenSource, start: number, end = whole.length): TokenSource {
  const from = Math.min(Math.max(0, start), whole.length);
  const length = Math.min(Math.max(from, end), whole.length) - from;
  return {
    length,
    read(at, into) {
      if (at < 0 || at + into.length > length) {
        throw new Error(`TokenSource: needs a range within ${length} tokens, got ${at} to ${at + into.length}`);
      }
      whole.read(from + at, into);
    },
    subarray: (a, b = length) => sourceRange(whole, from + a, from + Math.min(b, length)),
  };
}
