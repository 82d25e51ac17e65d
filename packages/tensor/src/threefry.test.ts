import { expect, test } from "vitest";
import { fold, key, normals, threefry, uniforms } from "./threefry";

// Known answers of the Random123 distribution.
test.each([
  [
    [0, 0],
    [0, 0],
    [0x6b200159, 0x99ba4efe],
  ],
  [
    [0xffffffff, 0xffffffff],
    [0xffffffff, 0xffffffff],
    [0x1cb996fc, 0xbb002be7],
  ],
  [
    [0x13198a2e, 0x03707344],
    [0x243f6a88, 0x85a308d3],
    [0xc4923a9c, 0x483df7a0],
  ],
] as const)("threefry2x32 of key %j, counter %j", (key, counter, expected) => {
  expect(threefry(key, counter)).toEqual(expected);
});

test("keys of different seeds, paths and numbers differ", () => {
  const root = key(1);
  const keys = [root, key(2), key(1 + 2 ** 32), fold(root, 0), fold(root, 1), fold(root, ""), fold(root, "0")];
  keys.push(
    fold(root, "layers.0.mlp"),
    fold(root, "layers.1.mlp"),
    fold(root, "a\0"),
    fold(root, "a"),
    fold(fold(root, "a"), "b"),
  );
  keys.push(fold(root, "ab"), fold(fold(root, "b"), "a"));
  expect(new Set(keys.map(String)).size).toBe(keys.length);
  expect(fold(root, "layers.0.mlp")).toEqual(fold(key(1), "layers.0.mlp"));
});

test("a shorter draw is the beginning of a longer one", () => {
  expect(uniforms(key(3), 5)).toEqual(uniforms(key(3), 8).slice(0, 5));
  expect(normals(key(3), 5)).toEqual(normals(key(3), 8).slice(0, 5));
});

test("moments", () => {
  const mean = (values: Float32Array, of: (value: number) => number) =>
    values.reduce((total, value) => total + of(value), 0) / values.length;
  const u = uniforms(key(7), 20000);
  const n = normals(key(7), 20000);
  expect(mean(u, (x) => x)).toBeCloseTo(0.5, 1.5);
  expect(mean(u, (x) => (x - 0.5) ** 2)).toBeCloseTo(1 / 12, 2);
  expect(Math.abs(mean(n, (x) => x))).toBeLessThan(0.03);
  expect(Math.abs(mean(n, (x) => x ** 2) - 1)).toBeLessThan(0.04);
  expect(Math.abs(mean(n, (x) => x ** 4) - 3)).toBeLessThan(0.3);
});

test("a seed must be a non-negative integer", () => {
  expect(() => key(-1)).toThrow("key: needs a non-negative integer seed, got -1");
  expect(() => fold(key(0), 0.5)).toThrow("fold: needs a non-negative integer, got 0.5");
});
