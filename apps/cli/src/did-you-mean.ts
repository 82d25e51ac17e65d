import { closest, distance } from "fastest-levenshtein";

/** The end of an error about an unknown name: the known name that is most like it, where one is. */
export function didYouMean(given: string, known: string[]): string {
  const name = closest(given, known);
  return name && distance(given, name) <= Math.max(1, given.length / 2) ? `: did you mean "${name}"?` : "";
}
