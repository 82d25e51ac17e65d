// Parameters, optimizer moments and reports are plain objects and arrays with tensors at the leaves: no module classes.
// A path names a leaf: "blocks.0.attention.output".

/** A leaf of a tree carries this mark, so that copies of this package agree on what a leaf is. */
export const LEAF = Symbol.for("webmoe.leaf");

/** What ends a branch of a tree: a tensor, or what stands for one. */
export interface Leaf {
  readonly [LEAF]: true;
}

/** Plain objects and arrays with leaves of one type. */
export type Tree<L extends Leaf> = L | readonly Tree<L>[] | { readonly [name: string]: Tree<L> };

/** The type of a tree with every leaf replaced. */
export type MapLeaves<T, To> = T extends Leaf ? To : T extends object ? { [K in keyof T]: MapLeaves<T[K], To> } : T;

/** Whether a value is a leaf of a tree, made by this copy of the package or another. */
export function isLeaf(value: unknown): value is Leaf {
  return typeof value === "object" && value !== null && LEAF in value;
}

/** Every leaf with its path, in the order of the tree. Absent (undefined) branches are skipped. */
export function leaves<L extends Leaf>(tree: unknown, path = ""): [path: string, leaf: L][] {
  if (tree === undefined) return [];
  if (isLeaf(tree)) return [[path, tree as L]];
  if (typeof tree !== "object" || tree === null) {
    throw new Error(`tree: needs plain objects and arrays with tensors at the leaves, got ${typeof tree} at "${path}"`);
  }
  return Object.entries(tree).flatMap(([key, branch]) => leaves<L>(branch, path ? `${path}.${key}` : key));
}

/** The same tree with every leaf replaced. */
export function mapTree<T, To>(tree: T, replace: (leaf: Leaf, path: string) => To, path = ""): MapLeaves<T, To> {
  if (tree === undefined) return tree as MapLeaves<T, To>;
  if (isLeaf(tree)) return replace(tree, path) as MapLeaves<T, To>;
  const below = (key: string) => (path ? `${path}.${key}` : key);
  if (Array.isArray(tree)) {
    return tree.map((branch, index) => mapTree(branch, replace, below(String(index)))) as MapLeaves<T, To>;
  }
  return Object.fromEntries(
    Object.entries(tree as object).map(([key, branch]) => [key, mapTree(branch, replace, below(key))]),
  ) as MapLeaves<T, To>;
}
