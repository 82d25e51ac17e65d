import { testGpu } from "@webmoe/webgpu/testing";
import { expect, test } from "vitest";
import { compile } from "../compile";
import { allocate, release, spec, writeTensor } from "../device-tensor";
import { f32 } from "../tensor";
import { unscale } from "./adamw";

/** Steps of one run of the program. */
const EACH = 40;

test("the scale halves at once and doubles after 2000 clean steps, not one earlier", async () => {
  const gpu = await testGpu();
  const state = await allocate(
    gpu,
    { scale: spec([1]), clean: spec([1], "u32"), skipped: spec([1], "u32") },
    "loss scale",
  );
  writeTensor(state.scale, Float32Array.of(2 ** 16));
  const open = (steps: number) =>
    compile(gpu, { state, inputs: { norm: f32() } }, (state, { norm }) => {
      const coefficients = Array.from({ length: steps }, () => unscale([norm], state, { maxNorm: 0 }).coefficient);
      return { ...state, coefficient: coefficients.at(-1)! };
    });
  const [many, one] = [await open(EACH), await open(1)];
  const step = async (norm: number) => {
    const { scale, clean, skipped, coefficient } = await (await one.run({ norm })).outputs;
    return { scale: scale[0], clean: clean[0], skipped: skipped[0], coefficient: coefficient[0] };
  };
  /** Clean steps, a multiple of EACH. */
  const pass = async (steps: number) => {
    for (let done = 0; done < steps; done += EACH) await (await many.run({ norm: 3 })).outputs;
  };

  await pass(1960);
  for (let i = 0; i < 38; i++) await step(3);
  expect(await step(3)).toEqual({ scale: 2 ** 16, clean: 1999, skipped: 0, coefficient: 2 ** -16 });
  expect(await step(3)).toMatchObject({ scale: 2 ** 17, clean: 0 });
  await pass(1960);
  expect(await step(Number.POSITIVE_INFINITY)).toEqual({ scale: 2 ** 16, clean: 0, skipped: 1, coefficient: -1 });
  expect(await step(Number.NaN)).toMatchObject({ scale: 2 ** 15, clean: 0, skipped: 2 });
  // An overflow begins the interval anew.
  await pass(1960);
  for (let i = 0; i < 39; i++) await step(3);
  expect(await step(3)).toMatchObject({ scale: 2 ** 16, clean: 0, skipped: 2 });
  for (const program of [many, one]) program.close();
  release(state);
});
