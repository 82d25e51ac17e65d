import { describe, expect, test } from "vitest";
import { expectClose, kernelTargets, runKernel } from "../testing";
import { unscale } from "./loss-scale";

describe.each(kernelTargets.slice(0, 2))("unscale, $name", ({ target }) => {
  const run = async (scaledNorm: number, scale: number, clean = 0, skipped = 5, maxNorm = 1, loss = 2) => {
    const given = {
      // Two chunks, whose sum is the square of the norm.
      sums: Float32Array.of(scaledNorm ** 2 / 4, scaledNorm ** 2 * 0.75),
      loss: Float32Array.of(loss),
      scale: Float32Array.of(scale),
      clean: Uint32Array.of(clean),
      skipped: Uint32Array.of(skipped),
      norm: 1,
      coefficient: 1,
    };
    const result = await runKernel(target, unscale, given, { chunks: 2, maxNorm, mostLoss: 3, interval: 3 });
    return {
      norm: result.norm[0]!,
      coefficient: result.coefficient[0]!,
      scale: result.scale[0]!,
      clean: result.u32("clean")[0]!,
      skipped: result.u32("skipped")[0]!,
    };
  };

  test("norms and coefficients are those of the unscaled gradients", async () => {
    const small = await run(32, 64);
    expect(small).toEqual({ norm: 0.5, coefficient: 1 / 64, scale: 64, clean: 1, skipped: 5 });
    const large = await run(256, 64);
    expect(large.norm).toBe(4);
    expectClose([large.coefficient], [1 / (4 + 1e-6) / 64]);
    expect((await run(256, 64, 0, 0, 0)).coefficient).toBe(1 / 64);
  });

  test("a loss past the limit skips the step and leaves the scale", async () => {
    const skips = { norm: 0.5, coefficient: -1, scale: 64, clean: 2, skipped: 6 };
    expect(await run(32, 64, 2, 5, 1, 3)).toEqual(skips);
    expect(await run(32, 64, 1, 5, 1, 2.999)).toMatchObject({ coefficient: 1 / 64, clean: 2, skipped: 5 });
    // Gradients of such a loss overflow with any scale.
    const overflowed = await run(Number.POSITIVE_INFINITY, 64, 2, 5, 1, 3);
    expect(overflowed).toEqual({ ...skips, norm: Number.POSITIVE_INFINITY });
  });

  test.each([Number.POSITIVE_INFINITY, Number.NaN])(
    "a norm of %d skips the step and halves the scale",
    async (norm) => {
      const halves = { coefficient: -1, scale: 32, clean: 0, skipped: 6 };
      expect(await run(norm, 64, 2)).toMatchObject(halves);
      expect(await run(norm, 64, 2, 5, 1, norm)).toMatchObject(halves); // as the loss may be
      expect(await run(norm, 1)).toMatchObject({ scale: 1 });
    },
  );

  test("the scale doubles after the interval, up to 2^24", async () => {
    expect(await run(1, 64, 1)).toMatchObject({ scale: 64, clean: 2 });
    expect(await run(1, 64, 2)).toMatchObject({ scale: 128, clean: 0 });
    expect(await run(1, 2 ** 24, 2)).toMatchObject({ scale: 2 ** 24, clean: 0 });
  });
});
