import { describe, expect, test } from "vitest";
import { expectClose, kernelTargets, runKernel, testNumbers } from "../testing";
import { MOST_JOBS, sumParts, sumPartsSizes } from "./sum-parts";

const tiled = kernelTargets[1]!.target;

describe("sums of parts", () => {
  // Around a workgroup of 256 lanes, with lanes that share rows (few columns) and without (many), down to one row.
  const cases: [rows: number, cols: number][][] = [
    [[3, 8]],
    [[1, 4]],
    [[171, 384]],
    [
      [5, 1028],
      [128, 512],
    ],
    [
      [2, 140000],
      [33, 36],
      [32, 2048],
    ],
    [
      [1, 4],
      [2, 8],
      [3, 12],
      [4, 16],
      [5, 20],
      [6, 24],
      [700, 28],
    ],
  ];
  test.each(cases.map((jobs) => ({ jobs })))("$jobs", async ({ jobs }) => {
    let end = 4; // a gap before the first and behind each, which stays as it was
    const placed = jobs.map(([rows, cols]) => {
      const job = { rows, cols, to: end };
      end += cols + 4;
      return job;
    });
    const x = jobs.map(([rows, cols], j) => testNumbers(rows * cols, j + 1));
    const bound = Array.from({ length: MOST_JOBS }, (_, j) => [`x${j}`, x[j] ?? x[0]!] as const);
    const buffers = { ...Object.fromEntries(bound), y: end };
    const { y } = await runKernel(tiled, sumParts, buffers, sumPartsSizes(placed));
    const expected = new Float64Array(end).fill(Number.NaN);
    placed.forEach(({ rows, cols, to }, j) => {
      expected.fill(0, to, to + cols);
      for (let r = 0; r < rows; r++) for (let c = 0; c < cols; c++) expected[to + c]! += x[j]![r * cols + c]!;
    });
    for (const [i, value] of expected.entries()) if (Number.isNaN(value)) expect(y![i], `element ${i}`).toBeNaN();
    expectClose(
      y!.filter((_, i) => !Number.isNaN(expected[i])),
      expected.filter((value) => !Number.isNaN(value)),
      1e-4,
    );
  });
});
