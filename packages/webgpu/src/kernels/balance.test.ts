import { describe, test } from "vitest";
import { expectClose, kernelTargets, runKernel, testNumbers } from "../testing";
import { balance } from "./balance";

describe.each(kernelTargets)("balance, $name", ({ target }) => {
  test.each([
    [1, 1],
    [5, 3],
    [300, 2],
  ])("%i experts, sums in %i chunks", async (experts, chunks) => {
    const sums = testNumbers(experts * chunks).map((value) => value + 1);
    const load = Float32Array.from({ length: experts }, (_, e) => (e * 7) % 11);
    const tokens = Float32Array.of(13);
    const assignments = load.reduce((a, b) => a + b, 0);
    const slope = load.map((count) => (experts * count) / Math.max(1, assignments * 13));
    let loss = 0;
    sums.forEach((value, i) => {
      loss += value * slope[i % experts]!;
    });
    const given = { sums, load, tokens, loss: 1, slope: experts };
    const result = await runKernel(target, balance, given, { experts, chunks });
    expectClose(result.slope, slope);
    expectClose(result.loss, [loss]);
  });
});
