import { describe, expect, test } from "vitest";
import { Expression } from "../expression";
import { expectClose, kernelTargets, runKernel, serialTarget, testNumbers } from "../testing";
import { accumulate, copy, copyTo, elementwise, fill, repeatIndex } from "./elementwise";

const [a, b, c] = [0, 1, 2].map((index) => Expression.input(index)) as [Expression, Expression, Expression];

describe.each(kernelTargets.slice(0, 2))("elementwise, $name", ({ target }) => {
  test.each([
    [[1], [1], [1]],
    [[5], [5], [1]],
    [[8], [8], [1]],
    [[1024], [1024], [1024]],
    [
      [3, 64],
      [3, 1],
      [1, 64],
    ],
    [
      [4, 3, 2, 8],
      [1, 3, 1, 8],
      [4, 1, 2, 1],
    ],
    [
      [3, 65],
      [3, 65],
      [1, 65],
    ],
    [
      [3, 65],
      [3, 1],
      [1, 65],
    ],
    [
      [2, 3, 5],
      [2, 1, 5],
      [1, 3, 1],
    ],
    [
      [2, 3, 1, 4],
      [2, 3, 1, 1],
      [1, 3, 1, 4],
    ],
    [
      [4, 3, 2, 5],
      [1, 3, 1, 5],
      [4, 1, 2, 1],
    ],
  ])("%j from %j and %j", async (shape, ofA, ofB) => {
    const size = (extents: number[]) => extents.reduce((x, y) => x * y, 1);
    const [x, y] = [testNumbers(size(ofA)), testNumbers(size(ofB), 2)];
    const inputs = [ofA, ofB].map((shape) => ({ shape, dtype: "f32" as const }));
    const made = elementwise("test", shape, inputs, [a.mul(b).add(1), a.sub(b)]);
    const count = size(shape);
    const result = await runKernel(
      target,
      made.kernel,
      { a0: x, a1: y, y0: count, y1: count },
      made.sizes as Record<string, number>,
    );
    /** The element of an input that element i of the result reads. */
    const from = (extents: number[], i: number) => {
      let [index, stride, left] = [0, 1, i];
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        if (extents[axis] !== 1) index += (left % shape[axis]!) * stride;
        stride *= extents[axis]!;
        left = Math.floor(left / shape[axis]!);
      }
      return index;
    };
    const pairs = Array.from({ length: count }, (_, i) => [x[from(ofA, i)]!, y[from(ofB, i)]!] as const);
    expectClose(
      result.y0!,
      pairs.map(([x, y]) => x * y + 1),
    );
    expectClose(
      result.y1!,
      pairs.map(([x, y]) => x - y),
    );
  });

  test("u32 inputs arrive as numbers, and constants keep their sign", async () => {
    const { kernel, sizes } = elementwise("test", [3], [{ shape: [3], dtype: "u32" }], [a.mul(-0.5).sub(-1)]);
    const { y0 } = await runKernel(target, kernel, { a0: Uint32Array.of(0, 1, 2 ** 31), y0: 3 }, sizes);
    expectClose(y0!, [1, 0.5, 1 - 2 ** 30]);
  });

  test.each([1, 64, 65, 1000])("fill, copy and accumulate %i elements", async (items) => {
    const [x, y] = [testNumbers(items), testNumbers(items, 2)];
    expect((await runKernel(target, fill, { y: items }, { items, value: -2.5 })).y).toEqual(
      new Float32Array(items).fill(-2.5),
    );
    expect((await runKernel(target, copy, { x, y: items }, { items })).y).toEqual(x);
    expectClose(
      (await runKernel(target, accumulate, { x, y }, { items })).y,
      y.map((value, i) => value + x[i]!),
    );
  });

  test("copyTo leaves what is before and behind", async () => {
    const y = testNumbers(7);
    const result = await runKernel(target, copyTo, { x: Float32Array.of(8, 9), y }, { items: 2, offset: 3 });
    expect([...result.y]).toEqual([...y.subarray(0, 3), 8, 9, ...y.subarray(5)]);
  });

  test("repeatIndex", async () => {
    const result = await runKernel(target, repeatIndex, { y: 7 }, { items: 7, each: 3 });
    expect([...result.u32("y")]).toEqual([0, 0, 0, 1, 1, 1, 2]);
  });
});

test("shared terms are written once", () => {
  const shared = a.exp();
  const { kernel } = elementwise(
    "test",
    [2],
    [0, 1, 2].map(() => ({ shape: [2], dtype: "f32" })),
    [shared.mul(shared), shared.add(b).mul(c)],
  );
  const source = kernel.source({ items: 2 }, serialTarget, undefined);
  expect(source.wgsl.match(/exp\(/g)).toHaveLength(1);
});
