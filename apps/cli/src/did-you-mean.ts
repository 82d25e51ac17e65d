import { closest, distance } from "fastest-levenshtein";

/** The end of an error about an unknown name: the known name that is most like it, where one is. */
export function didYouMean(given: string, known: string[]): string {
  const name = closest(given, known);
  return name && distance(given, name) <= Math.max(1, given.length / 2) ? `: did you mean "${name}"?` : "";
}

/** The same for dotted keys: a key that ends like the given one, in whatever group, comes before one that is spelt like it. */
export function didYouMeanKey(given: string, known: string[]): string {
  const end = (key: string) => key.split(".").at(-1);
  const sameEnd = known.filter((key) => end(key) === end(given));
  return sameEnd.length > 0 ? `: did you mean "${closest(given, sameEnd)}"?` : didYouMean(given, known);
}
