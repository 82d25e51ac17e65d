import { expectClose } from "@webmoe/webgpu/testing";
import { describe, expect, test } from "vitest";
import type { Shape } from "../shape";
import { reshape } from "../tensor";
import { checkGradient, random, valuesOf } from "../testing";
import { broadcastTo } from "./broadcast";
import { mean } from "./mean";
import { sum } from "./reduce";
import { sumTo } from "./sum-to";

/** Sum over the middle of [outer, reduced, inner]. */
function sumLoop(x: Float32Array, outer: number, reduced: number, inner: number): number[] {
  const y = Array(outer * inner).fill(0);
  for (let o = 0; o < outer; o++) {
    for (let r = 0; r < reduced; r++) {
      for (let i = 0; i < inner; i++) y[o * inner + i] += x[(o * reduced + r) * inner + i]!;
    }
  }
  return y;
}

describe.each<{ shape: Shape; from: number; to: number; kept: Shape }>([
  { shape: [2, 3, 4], from: 0, to: 3, kept: [] },
  { shape: [2, 3, 4], from: 0, to: 1, kept: [1, 3, 4] },
  { shape: [2, 3, 4], from: 1, to: 2, kept: [2, 1, 4] },
  { shape: [2, 3, 4], from: 2, to: 3, kept: [2, 3, 1] },
  { shape: [2, 3, 4], from: 0, to: 2, kept: [1, 1, 4] },
  { shape: [2, 3, 4], from: 1, to: 3, kept: [2, 1, 1] },
  { shape: [], from: 0, to: 0, kept: [] },
])("sum of $shape over axes $from to $to", ({ shape, from, to, kept }) => {
  test("value and shape", async () => {
    const x = random(shape);
    const size = (part: Shape) => part.reduce((a, b) => a * b, 1);
    let result: Shape | undefined;
    const y = await valuesOf(
      (tensor) => {
        const y = sum(tensor, from, to);
        result = y.shape;
        return y;
      },
      [x],
    );
    expect(result).toEqual(kept);
    expectClose(y, sumLoop(x.data, size(shape.slice(0, from)), size(shape.slice(from, to)), size(shape.slice(to))));
  });
  test("gradient", () => checkGradient((x) => sum(x, from, to), [shape]));
});

test.each([[5000], [8193], [12288]])("a long sum of %i, in two stages above 8192", async (count) => {
  const x = random([count]);
  const expected = x.data.reduce((a, b) => a + b, 0);
  expectClose(await valuesOf((x) => sum(x), [x]), [expected], 1e-4);
});

test("long columns in stages", async () => {
  const x = random([1001, 3]);
  expectClose(await valuesOf((x) => sum(x, 0, 1), [x]), sumLoop(x.data, 1, 1001, 3), 1e-4);
});

test("a range outside the axes is an error", async () => {
  await expect(valuesOf((x) => sum(x, 1, 3), [random([2, 3])])).rejects.toThrow(
    "sum: needs a range of the axes of [2, 3], got 1 to 3",
  );
});

test("mean", async () => {
  expectClose(await valuesOf(mean, [{ shape: [4], data: Float32Array.of(1, 2, 3, 6) }]), [3]);
  await checkGradient(mean, [[3, 4]]);
});

test.each<[Shape, Shape]>([
  [[2, 3], [3]],
  [
    [2, 3],
    [2, 1],
  ],
  [
    [2, 3, 4],
    [1, 3, 1],
  ],
  [[2, 3], []],
  [
    [2, 3],
    [2, 3],
  ],
])("sumTo from %j to %j undoes broadcastTo", async (large, small) => {
  await checkGradient((x) => sumTo(x, small), [large]);
  await checkGradient((x) => broadcastTo(x, large), [small]);
});

test("reshape", () => checkGradient((x) => sum(reshape(x, [3, 2]), 0, 1), [[2, 3]]));
