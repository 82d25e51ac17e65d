import { expect, test } from "vitest";
import { LEAF, type Leaf, leaves, mapTree } from "./tree";

const leaf = (name: string): Leaf & { name: string } => ({ [LEAF]: true, name });
const tree = { blocks: [{ w: leaf("a"), b: undefined }, { w: leaf("b") }], head: leaf("c"), empty: {} };

test("leaves have paths, in the order of the tree; absent branches are skipped", () => {
  expect(leaves<ReturnType<typeof leaf>>(tree).map(([path, { name }]) => [path, name])).toEqual([
    ["blocks.0.w", "a"],
    ["blocks.1.w", "b"],
    ["head", "c"],
  ]);
  expect(leaves(leaf("alone")).map(([path]) => path)).toEqual([""]);
  expect(leaves(undefined)).toEqual([]);
});

test("mapTree keeps the form and hands on the paths", () => {
  expect(mapTree(tree, (given, path) => `${path}=${(given as unknown as { name: string }).name}`)).toEqual({
    blocks: [{ w: "blocks.0.w=a", b: undefined }, { w: "blocks.1.w=b" }],
    head: "head=c",
    empty: {},
  });
});

test("a leaf of another copy of the package is one too", () => {
  const foreign = { [Symbol.for("webmoe.leaf")]: true };
  expect(leaves({ a: foreign })).toEqual([["a", foreign]]);
});

test("anything else is an error that names its path", () => {
  expect(() => leaves({ a: [{ b: 3 }] })).toThrow(
    'tree: needs plain objects and arrays with tensors at the leaves, got number at "a.0.b"',
  );
});
