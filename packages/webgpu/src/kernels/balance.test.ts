import { describe, test } from "vitest";
import { expectClose, kernelTargets, runKernel, testNumbers } from "../testing";
import { balance, probabilitySums } from "./balance";
import { columnSumChunks } from "./column-sums";

describe.each(kernelTargets)("balance, $name", ({ target }) => {
  test.each([
    [1, 1],
    [5, 3],
    [300, 2],
  ])("%i experts, sums in %i chunks", async (experts, chunks) => {
    const sums = testNumbers(experts * chunks * 2).map((value) => value + 1);
    const load = Float32Array.from({ length: experts }, (_, e) => (e * 7) % 11);
    const tokens = Float32Array.of(13);
    const assignments = load.reduce((a, b) => a + b, 0);
    const slope = load.map((count) => (experts * count) / Math.max(1, assignments * 13));
    const total = new Float64Array(experts);
    let [loss, entropy] = [0, 0];
    sums.forEach((value, i) => {
      const isEntropy = Math.floor(i / experts) % 2 === 1;
      if (isEntropy) entropy += value / 13;
      else {
        loss += value * slope[i % experts]!;
        total[i % experts]! += value;
      }
    });
    const given = { sums, load, tokens, loss: 1, slope: experts, total: experts, entropy: 1 };
    const result = await runKernel(target, balance, given, { experts, chunks });
    expectClose(result.slope, slope);
    expectClose(result.loss, [loss]);
    expectClose(result.total, total);
    expectClose(result.entropy, [entropy]);
  });

  test.each([
    [1, 1],
    [70, 5],
    [1500, 16],
    [333, 130],
  ])("sums of %i tokens' probabilities for %i experts", async (rows, cols) => {
    const chunks = columnSumChunks({ rows, cols }, target);
    const p = testNumbers(rows * cols).map((value, i) => (i % 7 === 0 ? 0 : Math.abs(value)));
    const expected = new Float64Array(chunks * 2 * cols);
    const length = Math.ceil(rows / chunks);
    p.forEach((value, i) => {
      const at = 2 * Math.floor(Math.floor(i / cols) / length) * cols + (i % cols);
      expected[at]! += value;
      expected[at + cols]! -= value > 0 ? value * Math.log(value) : 0;
    });
    const given = { p, partial: chunks * 2 * cols };
    const { partial } = await runKernel(target, probabilitySums, given, { rows, cols, chunks });
    expectClose(partial, expected);
  });
});
