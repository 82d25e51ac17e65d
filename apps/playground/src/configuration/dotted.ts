// Configurations by dotted keys: "model.layers".

/** The value at a dotted key; undefined where there is none. */
export function valueAt(tree: object, key: string): unknown {
  return key.split(".").reduce<unknown>((branch, name) => {
    return typeof branch === "object" && branch !== null && Object.hasOwn(branch, name)
      ? (branch as Record<string, unknown>)[name]
      : undefined;
  }, tree);
}

/** A copy of a tree with another value at a dotted key; undefined takes the key away. */
export function withValue<Tree extends object>(tree: Tree, key: string, value: unknown): Tree {
  const [name, ...rest] = key.split(".") as [string, ...string[]];
  const { [name]: old, ...others } = tree as Record<string, unknown>;
  const inner = rest.length > 0 ? withValue((old ?? {}) as object, rest.join("."), value) : value;
  if (inner === undefined) return others as Tree;
  return { ...tree, [name]: inner } as Tree;
}

/** Every value that is no object, by its dotted key. */
export function flatten(tree: object, prefix = ""): [key: string, value: unknown][] {
  return Object.entries(tree).flatMap(([name, value]): [string, unknown][] =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? flatten(value, `${prefix}${name}.`)
      : [[`${prefix}${name}`, value]],
  );
}
