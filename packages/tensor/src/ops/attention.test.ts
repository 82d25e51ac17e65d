import { planningGpu } from "@webmoe/webgpu";
import { expectClose, matrixTarget, testGpu } from "@webmoe/webgpu/testing";
import { describe, expect, test } from "vitest";
import { compile } from "../compile";
import { gradients } from "../gradients";
import { f32, reshape, type Tensor } from "../tensor";
import { checkGradient, errorsOfMixed, random, valuesOf } from "../testing";
import { fold, key } from "../threefry";
import { cachedAttention, causalAttention } from "./attention";
import { copyOf } from "./copy";
import { add, mul } from "./elementwise";
import { matmul } from "./matmul";
import { sum } from "./reduce";
import { rope } from "./rope";

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

test("rotary attention is that of turned queries and keys, with dropout as without", async () => {
  const qkv = random([2, 5, 3, 2, 4]);
  const rotary = { base: 100 };
  const words = { shape: [2], data: Uint32Array.from(key(3)) };
  const turned = await valuesOf((x) => causalAttention(rope(x, rotary)), [qkv]);
  expectClose(await valuesOf((x) => causalAttention(x, { rotary }), [qkv]), turned);
  await checkGradient((x) => causalAttention(x, { rotary }), [[2, 5, 3, 2, 4]]);
  const dropped = (x: Tensor, key: Tensor<"u32">) => causalAttention(rope(x), { dropout: { key, rate: 0.4 } });
  const both = (x: Tensor, key: Tensor<"u32">) => causalAttention(x, { dropout: { key, rate: 0.4 }, rotary: {} });
  expectClose(await valuesOf(both, [qkv, words]), await valuesOf(dropped, [qkv, words]));
});

/** Rotary attention of a product of rows, and the gradients of both. */
function attendRows({ x, weight, dy }: Record<string, Tensor>): Record<string, Tensor> {
  const qkv = reshape(matmul(x!, weight!, { transposeB: true }), [2, 324, 3, 16, 32]);
  const y = causalAttention(qkv, { rotary: {} });
  return { y, ...gradients(sum(mul(y, dy!)), { x: x!, weight: weight! }) };
}

// On matrix units the product turns its rows as it stores them, and the gradients of attention leave turned back.
test("rotary attention in mixed precision is near that in f32, and takes no kernel of its own", async () => {
  const inputs = { x: random([648, 512]), weight: random([1536, 512], 2), dy: random([2, 324, 16, 32], 3) };
  for (const value of [inputs.x, inputs.weight]) value.data = value.data.map((number) => number / 8);
  for (const [name, error] of await errorsOfMixed(inputs, attendRows)) expect(error, name).toBeLessThan(5e-3);
  const gpu = planningGpu({ ...(await testGpu()), target: matrixTarget });
  const specs = Object.fromEntries(Object.entries(inputs).map(([name, { shape }]) => [name, f32(...shape)]));
  await compile(gpu, { inputs: specs, precision: "mixed", label: "rotary" }, (_, tensors) =>
    attendRows(tensors as Record<string, Tensor>),
  );
  const kernels = gpu.planning!.get("rotary")!.map(({ name }) => name);
  expect(kernels).toContain("attentionForward");
  expect(kernels).not.toContain("rope");
});

test("attention over a cache is that of the last token of a sequence, and has no gradient", async () => {
  const [context, heads, headDim] = [5, 2, 4];
  const width = heads * headDim;
  const qkv = random([1, context, 3, heads, headDim]);
  const turned = await valuesOf(rope, [qkv]);
  const cache = { shape: [context, 2, heads, headDim], data: new Float32Array(context * 2 * width) };
  for (let t = 0; t < context - 1; t++) {
    cache.data.set(turned.subarray((3 * t + 1) * width, 3 * (t + 1) * width), 2 * t * width);
  }
  const last = { shape: [1, 3, heads, headDim], data: qkv.data.slice(-3 * width) };
  const position = { shape: [], data: Uint32Array.of(context - 1) };
  // The cache is updated in place, which an input cannot be.
  const cached = (x: Tensor, cache: Tensor, at: Tensor<"u32">) => cachedAttention(x, copyOf(cache), at);
  const whole = await valuesOf((x) => causalAttention(rope(x)), [qkv]);
  expectClose(await valuesOf(cached, [last, cache, position]), whole.subarray(-width));
  // Another path to the same input must not hide that one is missing.
  await expect(
    checkGradient((x, cache, at) => add(sum(x), sum(cached(x, cache, at))), [last, cache, position]),
  ).rejects.toThrow("gradients: cachedAttention has no gradient");
});

describe("dropout on the weights", () => {
  const rate = 0.4;
  const words = { shape: [2], data: Uint32Array.from(key(7)) };
  const dropped = (qkv: Tensor, key: Tensor<"u32">) => causalAttention(qkv, { dropout: { key, rate } });

  test("multiplies them by a function of the key, the query and the key's position", async () => {
    const [context, headDim] = [6, 2];
    const qkv = random([1, context, 3, 1, headDim]);
    const at = (t: number, part: number) => qkv.data.subarray((3 * t + part) * headDim, (3 * t + part + 1) * headDim);
    const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, d) => sum + value * b[d]!, 0);
    const expected = Array.from({ length: context }, (_, q) => {
      const grown = Array.from({ length: q + 1 }, (_, k) => Math.exp(dot(at(q, 0), at(k, 1)) / Math.sqrt(headDim)));
      const total = grown.reduce((a, b) => a + b);
      // The counter of a mask's number is the pair (query, position of the key).
      const kept = grown.map((_, k) =>
        (fold(key(7), q + k * 2 ** 32)[0] >>> 8) * 2 ** -24 < rate ? 0 : 1 / (1 - rate),
      );
      return [0, 1].map((d) => grown.reduce((sum, p, k) => sum + (p / total) * kept[k]! * at(k, 2)[d]!, 0));
    }).flat();
    expectClose(await valuesOf(dropped, [qkv, words]), expected);
  });

  test("has the gradient of one mask", async () => {
    await checkGradient(dropped, [[2, 5, 3, 2, 4], words]);
  });

  test("needs a rate below one and a key of two words", async () => {
    const wrong = (rate: number) => (qkv: Tensor, key: Tensor<"u32">) =>
      causalAttention(qkv, { dropout: { key, rate } });
    const qkv = random([1, 2, 3, 1, 2]);
    await expect(valuesOf(wrong(1), [qkv, words])).rejects.toThrow("needs a rate from 0 to below 1, got 1");
    const three = { shape: [3], data: new Uint32Array(3) };
    await expect(valuesOf(wrong(0.1), [qkv, three])).rejects.toThrow("causalAttention: needs a key of two words");
  });
});

test("qkv of another form is an error", async () => {
  await expect(valuesOf((x) => causalAttention(reshape(x, [2, 6])), [random([12])])).rejects.toThrow(
    "causalAttention: needs qkv [batch, context, 3, heads, headDim], got [2, 6]",
  );
  await expect(valuesOf((x) => rope(x), [random([1, 1, 3, 1, 3])])).rejects.toThrow("with an even headDim");
});
