import { allocate, compile, f32, leaves, readTensor, reshape, spec, writeTensor } from "@webmoe/tensor";
import { expectClose, testGpu, testNumbers } from "@webmoe/webgpu/testing";
import { expect, test } from "vitest";
import { type AdamwOptions, adamw, initAdamw } from "./adamw";

const shapes = { a: [70], b: [4, 30], c: [3, 25] };
const sizes = { a: 70, b: 120, c: 75 };
type Values = Record<keyof typeof shapes, Float32Array>;

/** Some steps on given gradients, with arenas of at most `arenaBytes`; and what came of the parameters. */
async function update(
  gradients: Values[],
  { arenaBytes, lossScale, ...options }: AdamwOptions & { arenaBytes?: number; lossScale?: number } = {},
) {
  const whole = await testGpu();
  const maxBufferSize = arenaBytes ?? whole.limits.maxBufferSize;
  const gpu = { ...whole, limits: { ...whole.limits, maxStorageBufferBindingSize: maxBufferSize, maxBufferSize } };
  const parameters = await allocate(gpu, { a: spec(shapes.a), b: spec(shapes.b), c: spec(shapes.c) }, "parameters");
  for (const [index, [, leaf]] of leaves<typeof parameters.a>(parameters).entries()) {
    writeTensor(
      leaf,
      testNumbers(
        leaf.shape.reduce((x, y) => x * y),
        index + 7,
      ),
    );
  }
  const state = { parameters, optimizer: await initAdamw(gpu, parameters, { lossScale }) };
  const inputs = { a: f32(...shapes.a), b: f32(...shapes.b), c: f32(...shapes.c), lr: f32() };
  const program = await compile(whole, { state, inputs }, ({ parameters, optimizer }, { lr, ...gradients }) => {
    const { gradNorm } = adamw(parameters, gradients, optimizer as never, lr, options);
    const { scale, skipped } = optimizer.lossScale ?? {};
    return { gradNorm, scale: scale && reshape(scale, []), skipped };
  });
  const steps = [];
  for (const given of gradients) steps.push(await (await program.run({ ...given, lr: 0.1 })).outputs);
  program.close();
  const [a, b, c] = [await readTensor(parameters.a), await readTensor(parameters.b), await readTensor(parameters.c)];
  return { steps, parameters: { a, b, c }, applied: (await readTensor(state.optimizer.applied))[0] };
}

const gradientsOf = (seed: number, factor = 1): Values => ({
  a: testNumbers(sizes.a, seed).map((x) => factor * x),
  b: testNumbers(sizes.b, seed + 1).map((x) => factor * x),
  c: testNumbers(sizes.c, seed + 2).map((x) => factor * x),
});

test("parameters in several arenas are updated as in one", async () => {
  const gradients = [gradientsOf(1), gradientsOf(11)];
  const together = await update(gradients);
  const apart = await update(gradients, { arenaBytes: 512 });
  for (const name of ["a", "b", "c"] as const) expectClose(apart.parameters[name], together.parameters[name], 1e-6);
  const norm = Math.hypot(...gradients[1]!.a, ...gradients[1]!.b, ...gradients[1]!.c);
  expectClose(together.steps[1]!.gradNorm, [norm]);
  expectClose(apart.steps[1]!.gradNorm, [norm]);
});

test("vectors are not decayed unless asked for", async () => {
  const zero = gradientsOf(1, 0);
  const start = testNumbers(sizes.a, 7);
  expect((await update([zero], { weightDecay: 0.5 })).parameters.a).toEqual(start);
  const all = await update([zero], { weightDecay: 0.5, decay: "all" });
  expectClose(
    all.parameters.a,
    start.map((x) => x * (1 - 0.1 * 0.5)),
  );
});

test("gradients of a scaled loss give the same update, to the last bit", async () => {
  const plain = await update([gradientsOf(1), gradientsOf(4)]);
  const scaled = await update([gradientsOf(1, 256), gradientsOf(4, 256)], { lossScale: 256 });
  expect(scaled.parameters).toEqual(plain.parameters);
  expect(scaled.steps.map(({ gradNorm }) => gradNorm[0])).toEqual(plain.steps.map(({ gradNorm }) => gradNorm[0]));
  expect(scaled.applied).toBe(2);
});

test("a step that overflowed changes nothing but the scale, which halves", async () => {
  const broken = gradientsOf(4, 256);
  broken.b[17] = Number.POSITIVE_INFINITY;
  const skipped = await update([gradientsOf(1, 256), broken], { lossScale: 256 });
  const once = await update([gradientsOf(1, 256)], { lossScale: 256 });
  expect(skipped.parameters).toEqual(once.parameters);
  expect(skipped.applied).toBe(1);
  expect(skipped.steps[1]).toMatchObject({ scale: Float32Array.of(128), skipped: Uint32Array.of(1) });
});
