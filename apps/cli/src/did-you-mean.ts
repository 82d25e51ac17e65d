import { closest } from "fastest-levenshtein";

/** The end of an error about an unknown name: the known name that is most like it. */
export function didYouMean(given: string, known: string[]): string {
  return known.length > 0 ? `: did you mean "${closest(given, known)}"?` : "";
}
