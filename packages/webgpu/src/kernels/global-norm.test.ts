import { describe, expect, test } from "vitest";
import { expectClose, kernelTargets, runKernel, testNumbers } from "../testing";
import { clipCoefficient, sumOfSquares } from "./global-norm";

const [loss, mostLoss] = [Float32Array.of(2), 3];

describe.each(kernelTargets)("global norm, $name", ({ target }) => {
  test.each([
    [1, 1, 1],
    [10, 4, 0.5],
    [1000, 7, 1],
    [5, 8, 100],
    [3001, 300, -1],
  ])("of %i elements in %i chunks, at most %d", async (items, chunks, maxNorm) => {
    const x = testNumbers(items);
    const { sums } = await runKernel(target, sumOfSquares, { x, sums: chunks }, { items, chunks });
    const clip = await runKernel(
      target,
      clipCoefficient,
      { sums, loss, norm: 1, coefficient: 1 },
      { chunks, maxNorm, mostLoss },
    );
    const norm = Math.hypot(...x);
    expectClose(clip.norm, [norm]);
    expectClose(clip.coefficient, [maxNorm > 0 ? Math.min(1, maxNorm / (norm + 1e-6)) : 1]);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, 3e38])("with %s among them the update is skipped", async (value) => {
    const x = testNumbers(100).with(17, value);
    const { sums } = await runKernel(target, sumOfSquares, { x, sums: 2 }, { items: 100, chunks: 2 });
    for (const maxNorm of [1, 0]) {
      const clip = await runKernel(
        target,
        clipCoefficient,
        { sums, loss, norm: 1, coefficient: 1 },
        { chunks: 2, maxNorm, mostLoss },
      );
      expect(clip.coefficient[0]).toBe(-1);
    }
  });

  test.each([3, 1000, Number.POSITIVE_INFINITY])(
    "with a loss of %d, which is past the limit, it is skipped too",
    async (value) => {
      const given = { sums: Float32Array.of(4), loss: Float32Array.of(value), norm: 1, coefficient: 1 };
      const clip = await runKernel(target, clipCoefficient, given, { chunks: 1, maxNorm: 1, mostLoss });
      expect([clip.norm[0], clip.coefficient[0]]).toEqual([2, -1]);
    },
  );
});
