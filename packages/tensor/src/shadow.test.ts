// Weights of products are read from an arena's f16 copy, which kernels that update the arena write too. Here a kernel that
// shows the halves it is given stands for such a product, so that every adapter can check it.

import { type Gpu, kernel } from "@webmoe/webgpu";
import { openGpu } from "@webmoe/webgpu/node";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { compile } from "./compile";
import { allocate, type DeviceTensor, readTensor, release, spec, writeTensor } from "./device-tensor";
import { fromFloat16, toFloat16 } from "./half-floats";
import { adamwUpdate } from "./ops/adamw";
import { copyInto, copyOf } from "./ops/copy";
import { halves } from "./ops/halves";
import { averageInto, descendAlong, sgdUpdate } from "./ops/momentum";
import { f32, place, reshape, type Tensor } from "./tensor";

/** y[2i] and y[2i + 1] are the two halves of x[i] */
const unpack = kernel({
  name: "unpack",
  buffers: { x: "read u32", y: "write" },
  sizes: { items: "u32" },
  source: ({ items }) => ({
    form: "items",
    items,
    wgsl: "fn run(i: u32) { let pair = unpack2x16float(x[i]); y[2u * i] = pair.x; y[2u * i + 1u] = pair.y; }",
  }),
});

function shown(x: Tensor): Tensor {
  return place(unpack, { x: halves(x) }, { items: x.size / 2 }, { y: x.shape }).y;
}

interface Weights {
  first: DeviceTensor;
  second: DeviceTensor;
}

const numbers = (count: number, seed: number) => Float32Array.from({ length: count }, (_, i) => Math.sin(seed + 7 * i));
const rounded = (values: Float32Array) => Array.from(fromFloat16(toFloat16(values)));

let gpu: Gpu;
let weights: Weights;
let velocity: DeviceTensor;

beforeAll(async () => {
  gpu = await openGpu({ adapter: process.env.WEBMOE_TEST_ADAPTER, kernelClass: "tiled" });
});
afterAll(() => gpu.close());

beforeEach(async () => {
  // 36 elements end in the middle of a range of 512 bytes.
  weights = await allocate(gpu, { first: spec([4, 36]), second: spec([4, 36]) }, "weights");
  velocity = await allocate(gpu, spec([4, 36]), "velocity");
  writeTensor(weights.first, numbers(144, 1));
  writeTensor(weights.second, numbers(144, 2));
  return () => release({ weights, velocity });
});

/** A program that shows both weights in f16. */
const reader = () =>
  compile(gpu, { state: { weights } }, ({ weights }) => ({
    first: shown(weights.first),
    second: shown(weights.second),
  }));

/** A program that updates the second weights, and shows both before that where `shows` says so. */
const updater = (shows: boolean) =>
  compile(
    gpu,
    { state: { weights, velocity }, inputs: { g: f32(4, 36), lr: f32(), coefficient: f32() } },
    (state, given) => {
      const { first, second } = state.weights;
      const before = shows ? { first: shown(first), second: shown(second) } : {};
      const { g, lr, coefficient } = given;
      sgdUpdate({ p: second, g, m: state.velocity }, { lr, coefficient }, { momentum: 0.5, decay: 0.1 });
      return before;
    },
  );

const step = (seed: number, coefficient = 1) => ({ g: numbers(144, seed), lr: 0.1, coefficient });

async function expectRounded(shown: { first?: Float32Array; second?: Float32Array }, values: Float32Array[]) {
  expect([Array.from(shown.first!), Array.from(shown.second!)]).toEqual(values.map(rounded));
}

const current = () => Promise.all([readTensor(weights.first), readTensor(weights.second)]);

// The first test of the file: what rounds is loaded by the reader, so the program compiled before it knows no shadows.
test.each(["before", "after"])("another program's update is read, compiled %s the reader", async (order) => {
  const early = order === "before" ? await updater(false) : undefined;
  const show = await reader();
  const update = early ?? (await updater(false));
  for (let i = 0; i < 2; i++) {
    await (await update.run(step(3 + i))).outputs;
    await expectRounded(await (await show.run({})).outputs, await current());
  }
  show.close();
  update.close();
});

test("a step reads what the step before it wrote, without packing", async () => {
  const program = await updater(true);
  const names = (await program.digest(step(3))).map(({ kernel }) => kernel);
  expect(names.toSorted()).toEqual(["sgd", "unpack", "unpack"]);
  for (let i = 0; i < 3; i++) {
    const before = await current();
    await expectRounded(await (await program.run(step(4 + i))).outputs, before);
    expect(await readTensor(weights.second)).not.toEqual(before[1]);
  }
  program.close();
});

test("a skipped step changes nothing", async () => {
  const program = await updater(true);
  await (await program.run(step(3))).outputs;
  const before = await current();
  await (await program.run(step(4, -1))).outputs;
  await expectRounded(await (await program.run(step(5))).outputs, before);
  program.close();
});

test("what the host writes is read at the next run", async () => {
  const program = await updater(true);
  await (await program.run(step(3))).outputs;
  writeTensor(weights.first, numbers(144, 11));
  writeTensor(weights.second, numbers(144, 12));
  await expectRounded(await (await program.run(step(4))).outputs, [numbers(144, 11), numbers(144, 12)]);
  program.close();
});

test("a kernel that cannot round keeps the reader right too", async () => {
  const show = await reader();
  const copy = await compile(gpu, { state: { weights }, inputs: { x: f32(4, 36) } }, ({ weights }, { x }) => {
    copyInto(weights.first, x);
    return {};
  });
  await (await show.run({})).outputs;
  await (await copy.run({ x: numbers(144, 21) })).outputs;
  await expectRounded(await (await show.run({})).outputs, [numbers(144, 21), numbers(144, 2)]);
  show.close();
  copy.close();
});

test("weights that change before their product are packed again", async () => {
  const program = await compile(
    gpu,
    { state: { weights, velocity }, inputs: { g: f32(4, 36), lr: f32() } },
    (state, { g, lr }) => {
      const before = halves(state.weights.second);
      sgdUpdate({ p: state.weights.second, g, m: state.velocity }, { lr, coefficient: lr }, { momentum: 0, decay: 0 });
      return { y: place(unpack, { x: before }, { items: 72 }, { y: [144] }).y };
    },
  );
  const { y } = await (await program.run({ g: numbers(144, 3), lr: 1 })).outputs;
  expect(Array.from(y)).toEqual(rounded(numbers(144, 2)));
  program.close();
});

test.each([
  ["adamw", { g: 144, m: 144, v: 144, corrections: 2 }],
  ["sgd", { g: 144, m: 144 }],
  ["descend", { d: 144 }],
  ["average", { x: 144 }],
] as const)("%s rounds what it writes", async (name, sizes) => {
  const show = await reader();
  const specs = Object.fromEntries(Object.entries(sizes).map(([key, size]) => [key, f32(size)]));
  const inputs = { ...specs, lr: f32(), coefficient: f32() } as Record<string, ReturnType<typeof f32>>;
  const update = await compile(
    gpu,
    { state: { weights }, inputs },
    ({ weights }, { g, m, v, d, x, corrections, ...scalars }) => {
      const p = reshape(weights.second, [144]);
      const [rate1, rate2] = [0.1, 0.05];
      const { lr, coefficient } = scalars as { lr: Tensor; coefficient: Tensor };
      const given = { lr, coefficient };
      if (name === "adamw") {
        const moments = { m: copyOf(m!), v: copyOf(v!), corrections: corrections! };
        adamwUpdate({ p, g: g!, ...moments, ...given, options: { rate1, rate2, eps: 1e-8, decay: 0.1 } });
      } else if (name === "sgd") sgdUpdate({ p, g: g!, m: copyOf(m!) }, given, { momentum: 0.5, decay: 0.1 });
      else if (name === "descend") descendAlong(p, d!, given, { rate: 0.5, decay: 0.1, factor: 2 });
      else averageInto(p, x!, 0.25);
      return {};
    },
  );
  const values = Object.entries(sizes).map(([key, size], seed) => [key, numbers(size, seed).map(Math.abs)]);
  await (await show.run({})).outputs;
  await (await update.run({ ...Object.fromEntries(values), lr: 0.1, coefficient: 0.5 })).outputs;
  expect(await readTensor(weights.second)).not.toEqual(numbers(144, 2));
  // Were the copy only out of date, it would be packed again and right as well.
  expect(weights.first.arena.shadow.current).toBe(true);
  await expectRounded(await (await show.run({})).outputs, await current());
  show.close();
  update.close();
});

test("its memory is counted, checked, and freed with the weights", async () => {
  const before = gpu.memoryUsed;
  const other = await allocate(gpu, { w: spec([4, 64]) }, "other");
  const build = (gpu: Gpu) => compile(gpu, { label: "small", state: other }, ({ w }) => ({ y: shown(w) }));
  await expect(build({ ...gpu, memoryBudget: gpu.memoryUsed + 3200 })).rejects.toThrow(
    /small: needs .* of the budget .* are taken .*f16 copies of weights/,
  );
  const program = await build(gpu);
  expect(gpu.memoryUsed).toBe(before + 1024 + 512 + program.stats.bytes.total);
  program.close();
  release(other);
  expect(gpu.memoryUsed).toBe(before);
});
