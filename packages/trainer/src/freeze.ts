import { isLeaf, leaves, mapTree } from "@webmoe/tensor";

/** A tree of parameters in two, each with undefined in place of what is in the other. */
export interface FrozenParts<T> {
  learned: T;
  frozen: T;
}

/**
 * Part the parameters that `names` freeze from those that learn. A name is that of a part ("experts", "embedding", "router"), or
 * several from one down to a part of it, with `*` for any one: "router.layers.*.gate". A name of nothing is an error.
 */
export function splitFrozen<T>(parameters: T, names: readonly string[]): FrozenParts<T> {
  const paths = leaves(parameters).map(([path]) => path);
  for (const name of names) {
    if (paths.some((path) => isPart(path, name))) continue;
    throw new Error(`freeze: needs a part of the model (${partsOf(paths).join(", ")}), and it has no "${name}"`);
  }
  const isFrozen = (path: string) => names.some((name) => isPart(path, name));
  if (paths.length > 0 && paths.every(isFrozen)) {
    throw new Error(`freeze: needs something left to learn, and ${names.join(", ")} freeze all of it`);
  }
  const keep = (wanted: boolean) =>
    mapTree(parameters, (leaf, path) => (isFrozen(path) === wanted ? leaf : undefined)) as T;
  return { learned: keep(false), frozen: keep(true) };
}

/** Whether a path has the segments of a name, one after the other. */
function isPart(path: string, name: string): boolean {
  const [segments, wanted] = [path.split("."), name.split(".")];
  return segments.some((_, start) =>
    wanted.every((segment, index) =>
      segment === "*" ? start + index < segments.length : segments[start + index] === segment,
    ),
  );
}

/** The names that a person would choose from: parts of the whole and of a block, without numbers. */
function partsOf(paths: string[]): string[] {
  const names = paths.map((path) => {
    const [first, , second] = path.split(".");
    return first === "blocks" ? second! : first!;
  });
  return [...new Set(names)];
}

/** Two trees of one form as one: what is undefined in the first is taken from the second. */
export function mergeTrees<T>(first: T, second: T): T {
  if (first === undefined || isLeaf(first)) return first ?? second;
  if (second === undefined) return first;
  const merged = Object.entries(first as object).map(([key, branch]) => [
    key,
    mergeTrees(branch, (second as Record<string, unknown>)[key]),
  ]);
  return (Array.isArray(first) ? merged.map(([, branch]) => branch) : Object.fromEntries(merged)) as T;
}
