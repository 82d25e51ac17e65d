import { testGpu } from "@webmoe/webgpu/testing";
import { expect, test } from "vitest";
import { evaluate } from "../compile";
import { gradients } from "../gradients";
import { key, uniforms } from "../threefry";
import { dropout } from "./dropout";
import { mul } from "./elementwise";
import { sum } from "./reduce";

const rate = 0.25;

test.each([1, 7, 64, 1001])(
  "%i elements: those whose number is below the rate are zero, others grow",
  async (items) => {
    const x = { shape: [items], data: Float32Array.from({ length: items }, (_, i) => i + 1) };
    const words = { shape: [2], data: Uint32Array.from(key(9)) };
    const { y, dx } = await evaluate(await testGpu(), { x, words }, ({ x, words }) => {
      const y = dropout(x, words, rate);
      return { y, dx: gradients(sum(mul(y, y)), { x }).x };
    });
    uniforms(key(9), items).forEach((u, i) => {
      const factor = u < rate ? 0 : 1 / (1 - rate);
      expect(y[i]).toBeCloseTo((i + 1) * factor, 2);
      expect(dx[i]! / (2 * (i + 1) * factor ** 2 || 1)).toBeCloseTo(factor === 0 ? 0 : 1, 4);
    });
  },
);

test("the expectation stays, and another key drops others", async () => {
  const ones = { shape: [20000], data: new Float32Array(20000).fill(1) };
  const of = async (seed: number) => {
    const words = { shape: [2], data: Uint32Array.from(key(seed)) };
    return (await evaluate(await testGpu(), { ones, words }, ({ ones, words }) => ({ y: dropout(ones, words, rate) })))
      .y;
  };
  const first = (await of(1)) as Float32Array;
  expect(first.reduce((a, b) => a + b) / first.length).toBeCloseTo(1, 1);
  expect(first.filter((value) => value === 0).length / first.length).toBeCloseTo(rate, 1);
  expect(await of(2)).not.toEqual(first);
  expect(await of(1)).toEqual(first);
});

test("a rate that would drop everything is refused", async () => {
  const x = { shape: [4], data: new Float32Array(4) };
  const words = { shape: [2], data: new Uint32Array(2) };
  const wrong = evaluate(await testGpu(), { x, words }, ({ x, words }) => ({ y: dropout(x, words, 1) }));
  await expect(wrong).rejects.toThrow("dropout: needs a rate from 0 to below 1, got 1");
});
