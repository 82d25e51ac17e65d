import { describe, expect, test } from "vitest";
import { expectClose, kernelTargets, matrixTarget, runKernel, testNumbers } from "../testing";
import { type MatmulLayout, matmul, matmulAccumulate, matmulAdd, matmulSplit } from "./matmul";
import { matmulSplits } from "./matmul-splits";

function product(
  a: Float32Array,
  b: Float32Array,
  [batch, m, n, k]: number[],
  { transposeA, transposeB }: MatmulLayout,
) {
  const c = new Float32Array(batch! * m! * n!);
  for (let z = 0; z < batch!; z++) {
    for (let i = 0; i < m!; i++) {
      for (let j = 0; j < n!; j++) {
        let sum = 0;
        for (let l = 0; l < k!; l++) {
          const x = a[z * m! * k! + (transposeA ? l * m! + i : i * k! + l)]!;
          const y = b[z * k! * n! + (transposeB ? j * k! + l : l * n! + j)]!;
          sum += x * y;
        }
        c[z * m! * n! + i * n! + j] = sum;
      }
    }
  }
  return c;
}

const layouts: MatmulLayout[] = [
  { transposeA: false, transposeB: false },
  { transposeA: false, transposeB: true },
  { transposeA: true, transposeB: false },
  { transposeA: true, transposeB: true },
];

describe.each(kernelTargets)("matmul, $name", ({ target }) => {
  describe.each(layouts)("transposeA $transposeA, transposeB $transposeB", (layout) => {
    test.each([
      [[1, 1, 1, 1]],
      [[2, 1, 9, 5]],
      [[2, 9, 1, 5]],
      [[1, 6, 7, 1]],
      [[2, 3, 5, 7]],
      [[1, 1, 33, 130]],
      [[3, 8, 5, 516]],
      [[2, 5, 66, 64]],
      [[1, 64, 128, 32]],
      [[2, 64, 66, 16]],
      [[1, 65, 64, 17]],
      [[3, 9, 130, 33]],
      [[1, 150, 70, 40]],
      [[2, 132, 100, 48]],
      [[140, 36, 40, 32]],
    ])("batch, m, n, k = %j", async (shape) => {
      const [batch, m, n, k] = shape as [number, number, number, number];
      const a = testNumbers(batch * m * k);
      const b = testNumbers(batch * k * n, 2);
      const c = testNumbers(batch * m * n, 3);
      const expected = product(a, b, shape, layout);
      const sizes = { batch, m, n, k };
      expectClose((await runKernel(target, matmul, { a, b, c: c.length }, sizes, layout)).c, expected);
      const sum = expected.map((value, i) => value + c[i]!);
      expectClose((await runKernel(target, matmulAccumulate, { a, b, c }, sizes, layout)).c, sum);
      const added = await runKernel(target, matmulAdd, { a, b, base: c, c: c.length }, sizes, layout);
      expectClose(added.c, sum);
    });
  });

  test.each([
    ["past the tile for small grids", [1, 600, 520, 20]],
    ["past the tile for long axes", [1, 1029, 1026, 9]],
    ["long axes that tiles divide", [1, 1024, 1024, 8]],
  ])("%s", async (_name, shape) => {
    const layout = { transposeA: false, transposeB: true };
    const [batch, m, n, k] = shape as [number, number, number, number];
    const a = testNumbers(m * k);
    const b = testNumbers(k * n, 2);
    const { c } = await runKernel(target, matmul, { a, b, c: m * n }, { batch, m, n, k }, layout);
    expectClose(c, product(a, b, shape, layout));
  });
});

test("a product that is written out has the bits of the one with a loop", async () => {
  const [target, layout] = [kernelTargets[1]!.target, { transposeA: false, transposeB: true }];
  const [batch, m, n, k] = [1, 72, 36, 16];
  const given = { a: testNumbers(m * k), b: testNumbers(k * n, 2), c: m * n };
  const loop = await runKernel(target, matmul, given, { batch, m, n, k }, layout);
  const written = await runKernel({ ...target, writtenOut: true }, matmul, given, { batch, m, n, k }, layout);
  expect(written.c).toEqual(loop.c);
  expectClose(written.c, product(given.a, given.b, [batch, m, n, k], layout));
});

describe.each(kernelTargets.slice(0, 2))("matmulSplit, $name", ({ target }) => {
  test.each(layouts)("transposeA $transposeA, transposeB $transposeB: parts add up to the product", async (layout) => {
    // Ranges of 32, 32 and what is left.
    for (const [splits, m, n, k] of [
      [3, 6, 9, 70],
      [3, 36, 40, 80],
    ] as const) {
      const [a, b] = [testNumbers(m * k), testNumbers(k * n, 2)];
      const { c } = await runKernel(target, matmulSplit, { a, b, c: splits * m * n }, { splits, m, n, k }, layout);
      const total = Float32Array.from({ length: m * n }, (_, i) => c[i]! + c[m * n + i]! + c[2 * m * n + i]!);
      expectClose(total, product(a, b, [1, m, n, k], layout));
      expect(c[2 * m * n]).not.toBe(0);
    }
  });
});

test("products are split where tiles are few and sums long, not where rows are few", () => {
  const layout = { transposeA: true, transposeB: false };
  const tiled = kernelTargets[1]!.target;
  expect(matmulSplits({ batch: 1, m: 128, n: 128, k: 4096 }, layout, tiled)).toBe(16);
  expect(matmulSplits({ batch: 1, m: 1536, n: 512, k: 8192 }, layout, tiled)).toBe(11);
  expect(matmulSplits({ batch: 1, m: 2048, n: 768, k: 32000 }, layout, tiled)).toBe(11);
  expect(matmulSplits({ batch: 1, m: 512, n: 512, k: 8192 }, layout, tiled)).toBe(16);
  expect(matmulSplits({ batch: 1, m: 128, n: 128, k: 64 }, layout, tiled)).toBe(1);
  expect(matmulSplits({ batch: 1, m: 8, n: 128, k: 4096 }, layout, tiled)).toBe(16);
  const rows = { transposeA: false, transposeB: true };
  expect(matmulSplits({ batch: 1, m: 8, n: 128, k: 4096 }, rows, tiled)).toBe(1);
  expect(matmulSplits({ batch: 2, m: 128, n: 128, k: 4096 }, layout, tiled)).toBe(1);
  expect(matmulSplits({ batch: 1, m: 128, n: 128, k: 4096 }, layout, kernelTargets[0]!.target)).toBe(1);
  expect(matmulSplits({ batch: 1, m: 8192, n: 128, k: 512 }, rows, matrixTarget)).toBe(1);
  expect(matmulSplits({ batch: 1, m: 512, n: 512, k: 8192 }, layout, matrixTarget)).toBe(16);
  // 384 tiles are a round of 264 and a half-empty one; a second kernel pays where that takes long.
  expect(matmulSplits({ batch: 1, m: 8192, n: 768, k: 32000 }, rows, matrixTarget)).toBe(2);
  expect(matmulSplits({ batch: 1, m: 8192, n: 768, k: 2304 }, rows, matrixTarget)).toBe(1);
});
