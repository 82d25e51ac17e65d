import { expectClose } from "@webmoe/webgpu/testing";
import { expect, test } from "vitest";
import { reshape } from "../tensor";
import { checkGradient, random, valuesOf } from "../testing";
import { causalAttention } from "./attention";
import { mul } from "./elementwise";
import { rope, ropeAt } from "./rope";

test.each([[[1, 1, 3, 1, 2]], [[2, 3, 3, 2, 4]], [[1, 5, 3, 1, 6]]])("gradients of qkv %j", async (shape) => {
  await checkGradient(causalAttention, [shape]);
  await checkGradient(rope, [shape]);
});

test("a token does not see those after it, and the first sees itself alone", async () => {
  const qkv = random([1, 4, 3, 1, 2]);
  const changed = { ...qkv, data: qkv.data.slice() };
  changed.data.fill(9, 3 * 6); // all of the last token
  const [before, after] = [await valuesOf(causalAttention, [qkv]), await valuesOf(causalAttention, [changed])];
  expectClose(before.slice(0, 6), after.slice(0, 6));
  expectClose(before.slice(0, 2), qkv.data.slice(4, 6));
});

test("rope turns queries and keys by their position and leaves values and position 0", async () => {
  const qkv = random([1, 3, 3, 1, 4]);
  const y = await valuesOf(rope, [qkv]);
  expectClose(y.slice(0, 12), qkv.data.slice(0, 12));
  expectClose(y.slice(12 + 8, 24), qkv.data.slice(12 + 8, 24));
  for (const start of [24, 28]) {
    // Half-split pairs (0, 2) and (1, 3) at position 2, angles 2 and 2 / 100.
    for (const [pair, angle] of [2, 0.02].entries()) {
      const [a, b] = [qkv.data[start + pair]!, qkv.data[start + pair + 2]!];
      const turned = [a * Math.cos(angle) - b * Math.sin(angle), a * Math.sin(angle) + b * Math.cos(angle)];
      expectClose([y[start + pair]!, y[start + pair + 2]!], turned);
    }
  }
});

test("ropeAt is rope from a later position, and has no gradient", async () => {
  const qkv = random([1, 3, 3, 1, 4]);
  const last = { shape: [1, 3, 1, 4], data: qkv.data.slice(24) };
  const start = { shape: [], data: Uint32Array.of(2) };
  const y = await valuesOf(rope, [qkv]);
  expectClose(await valuesOf((x, start) => ropeAt(x, start), [last, start]), y.slice(24));
  // Another path to the same input must not hide that one is missing.
  await expect(checkGradient((x, start) => mul(x, ropeAt(x, start)), [last, start])).rejects.toThrow(
    "gradients: ropeAt has no gradient",
  );
});

test("qkv of another form is an error", async () => {
  await expect(valuesOf((x) => causalAttention(reshape(x, [2, 6])), [random([12])])).rejects.toThrow(
    "causalAttention: needs qkv [batch, context, 3, heads, headDim], got [2, 6]",
  );
  await expect(valuesOf((x) => rope(x), [random([1, 1, 3, 1, 3])])).rejects.toThrow("with an even headDim");
});
