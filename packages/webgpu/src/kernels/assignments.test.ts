import { describe, expect, test } from "vitest";
import { kernelTargets, runKernel, testNumbers } from "../testing";
import { columnRanks, columnsWhere } from "./assignments";

describe.each(kernelTargets)("assignments, $name", ({ target }) => {
  test.each([
    [1, 1],
    [7, 3],
    [64, 2],
    [65, 5],
    [300, 16],
  ])("ranks of %i rows in each of %i columns, with ties", async (rows, cols) => {
    const x = testNumbers(rows * cols).map((value) => Math.round(value * 20));
    const expected = new Float32Array(x.length);
    for (let c = 0; c < cols; c++) {
      const order = Array.from({ length: rows }, (_, r) => r);
      order.sort((a, b) => x[b * cols + c]! - x[a * cols + c]! || a - b);
      order.forEach((row, rank) => {
        expected[row * cols + c] = rank;
      });
    }
    const { rank } = await runKernel(target, columnRanks, { x, rank: x.length }, { rows, cols });
    expect([...rank]).toEqual([...expected]);
  });

  test("columns where a value is not 0", async () => {
    const x = Float32Array.of(0, 2, -1, 0, 0, 0, 1e-30, 3, 0);
    const result = await runKernel(target, columnsWhere, { x, index: 9 }, { rows: 3, cols: 3 });
    const none = 0xffffffff;
    expect([...result.u32("index")]).toEqual([none, 1, 2, none, none, none, 0, 1, none]);
  });
});
