/** Kinds of tokens, in the order they are shown. */
export const TOKEN_CLASSES = [
  "word",
  "letters",
  "capital",
  "digits",
  "punctuation",
  "space",
  "line end",
  "other",
] as const;

export type TokenClass = (typeof TOKEN_CLASSES)[number];

const rules: [TokenClass, RegExp][] = [
  ["line end", /^\s*\n\s*$/u],
  ["space", /^\s+$/u],
  ["capital", /^ ?\p{Lu}[\p{L}\p{M}’']*$/u],
  ["word", /^ \p{L}[\p{L}\p{M}’']*$/u],
  ["letters", /^[\p{L}\p{M}]+$/u],
  ["digits", /^ ?\p{N}+$/u],
  ["punctuation", /^ ?[\p{P}\p{S}]+$/u],
];

/**
 * The kind of a token by its text: "word" begins with a space, "letters" are a word's start without one or its middle,
 * "capital" begins with an upper-case letter; what is a mixture or no whole character is "other".
 */
export function tokenClass(text: string): TokenClass {
  if (text.includes("\ufffd")) return "other";
  return rules.find(([, rule]) => rule.test(text))?.[0] ?? "other";
}
