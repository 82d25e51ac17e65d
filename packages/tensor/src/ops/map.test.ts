import { Expression } from "@webmoe/webgpu";
import { expectClose } from "@webmoe/webgpu/testing";
import { describe, expect, test } from "vitest";
import type { Tensor } from "../tensor";
import { checkGradient, random, valuesOf } from "../testing";
import { add, div, exp, log, mul, scale, sigmoid, silu, sub, swiglu, tanh } from "./elementwise";
import { map } from "./map";

describe.each<[string, (x: Expression) => Expression, (x: number) => number]>([
  ["neg", (x) => x.neg(), (x) => -x],
  ["exp", (x) => x.exp(), Math.exp],
  ["log", (x) => x.log(), Math.log],
  ["sqrt", (x) => x.sqrt(), Math.sqrt],
  ["inverseSqrt", (x) => x.inverseSqrt(), (x) => 1 / Math.sqrt(x)],
  ["tanh", (x) => x.tanh(), Math.tanh],
  ["sigmoid", (x) => x.sigmoid(), (x) => 1 / (1 + Math.exp(-x))],
  ["abs", (x) => x.sub(1.25).abs(), (x) => Math.abs(x - 1.25)],
  ["sin", (x) => x.sin(), Math.sin],
  ["cos", (x) => x.cos(), Math.cos],
  ["add", (x) => x.add(2), (x) => x + 2],
  ["sub", (x) => x.sub(2), (x) => x - 2],
  ["mul", (x) => x.mul(x), (x) => x * x],
  ["mul by a constant", (x) => x.mul(-3), (x) => -3 * x],
  ["div", (x) => Expression.constant(2).div(x), (x) => 2 / x],
  ["max", (x) => x.mul(x).max(1.5), (x) => Math.max(x * x, 1.5)],
  ["min", (x) => x.mul(x).min(1.5), (x) => Math.min(x * x, 1.5)],
  ["select by less", (x) => x.less(1.25).select(x.mul(x), x.exp()), (x) => (x < 1.25 ? x * x : Math.exp(x))],
  ["a shared term", (x) => x.exp().mul(x.exp().add(x)), (x) => Math.exp(x) * (Math.exp(x) + x)],
])("map: %s", (_, formula, expected) => {
  // Away from 1.25 and sqrt(1.5), where some of these have a kink.
  const data = Float32Array.from([0.51, 0.83, 1.02, 1.17, 1.31, 1.6, 1.94]);

  test("value", async () => {
    const y = await valuesOf((x) => map("formula", [x], formula), [{ shape: [7], data }]);
    expectClose(y, data.map(expected), 2e-5);
  });
  test("gradient", () => checkGradient((x) => map("formula", [x], formula), [{ shape: [7], data }]));
});

describe("broadcasting", () => {
  const mixed = (...x: Expression[]) => x.reduce((a, b) => a.mul(b).add(a.sin()));

  test.each([
    [[[3, 4], [4]]],
    [
      [
        [3, 4],
        [3, 1],
      ],
    ],
    [
      [
        [3, 1, 4],
        [2, 1],
      ],
    ],
    [[[3, 4], []]],
    [[[], []]],
    [
      [
        [1, 3],
        [2, 1],
      ],
    ],
    [[[2, 3, 4], [3, 1], [1]]],
    [
      [
        [2, 1, 3, 1],
        [1, 2, 1, 3],
      ],
    ],
  ])("gradients of %j", (shapes) => checkGradient((...x) => map("mixed", x, mixed), shapes));

  test("[2, 1, 3] and [2, 1] give the values of the loop", async () => {
    const [a, b] = [random([2, 1, 3]), random([2, 1], 2)];
    const expected = new Float32Array(12);
    for (let i = 0; i < 12; i++) {
      expected[i] = a.data[Math.floor(i / 6) * 3 + (i % 3)]! - b.data[Math.floor(i / 3) % 2]!;
    }
    expectClose(await valuesOf(sub, [a, b]), expected);
  });

  test("shapes that do not stretch are an error", async () => {
    await expect(valuesOf(mul, [random([2, 3]), random([2])])).rejects.toThrow(
      "mul: shapes must match or broadcast, got [2, 3] and [2]",
    );
  });
});

test.each([
  ["add", add, 2],
  ["sub", sub, 2],
  ["mul", mul, 2],
  ["swiglu", swiglu, 2],
  ["silu", silu, 1],
  ["tanh", tanh, 1],
  ["sigmoid", sigmoid, 1],
  ["exp", exp, 1],
] as const)("gradient of %s", (_, op, inputs) =>
  checkGradient(op as (...x: Tensor[]) => Tensor, Array<number[]>(inputs).fill([3, 5]), { low: -2, high: 2 }),
);

test("gradients of div, log and scale", async () => {
  await checkGradient(div, [[5], [5]], { low: 0.8, high: 2 });
  await checkGradient(log, [[5]], { low: 0.8, high: 2 });
  await checkGradient((x) => scale(x, -2.5), [[5]]);
});

test("a sum of more inputs than a kernel binds", () => checkGradient(add, Array<number[]>(9).fill([3])));

test("a sum of thousands of inputs, as of the balance losses of a deep model", async () => {
  const x = { ...random([2]), data: Float32Array.of(0.5, -3) };
  const sum = await valuesOf((x: Tensor) => add(...Array<Tensor>(4096).fill(x)), [x]);
  expect([...sum]).toEqual([2048, -12_288]);
});

test("a formula of seven inputs, whose gradients need several kernels", () =>
  checkGradient(
    (...x) => map("product", x, (...x) => x.reduce((a, b) => a.mul(b.add(1)))),
    Array<number[]>(7).fill([3]),
  ));

test("u32 inputs take part as numbers", async () => {
  const counts = { shape: [3], data: Uint32Array.of(1, 2, 4_000_000) };
  expectClose(await valuesOf((n) => scale(n, 0.5), [counts]), [0.5, 1, 2_000_000]);
  await checkGradient((x, n) => mul(x, n), [[3], { shape: [3], data: Uint32Array.of(1, 2, 3) }]);
});

test("tanh and sigmoid of huge arguments are finite", async () => {
  const huge = { shape: [4], data: Float32Array.of(-1e30, -100, 100, 1e30) };
  expectClose(await valuesOf(tanh, [huge]), [-1, -1, 1, 1]);
  expectClose(await valuesOf(sigmoid, [huge]), [0, 0, 1, 1]);
});
