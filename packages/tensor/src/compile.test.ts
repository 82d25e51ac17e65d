import { type Gpu, Recording } from "@webmoe/webgpu";
import { openGpu } from "@webmoe/webgpu/node";
import { expectClose, testGpu } from "@webmoe/webgpu/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { compile } from "./compile";
import { allocate, readTensor, release, spec, writeTensor } from "./device-tensor";
import { addInPlace, copyInto } from "./ops/copy";
import { add, mul, scale } from "./ops/elementwise";
import { sum } from "./ops/reduce";
import { f32, rowRange, type Tensor, Trace, u32 } from "./tensor";

let gpu: Gpu;
beforeAll(async () => {
  gpu = await testGpu();
});
const opened: Gpu[] = [];
afterAll(() => {
  for (const device of opened) device.close();
});

test("several runs in flight return their own values, in order", async () => {
  const state = await allocate(gpu, { total: spec([1]) }, "state");
  const program = await compile(gpu, { state, inputs: { x: f32() } }, ({ total }, { x }) => {
    addInPlace(total, x);
    return { total: scale(total, 1), x };
  });
  const tickets = [];
  for (let i = 1; i <= 7; i++) tickets.push((await program.run({ x: i })).outputs);
  const outputs = await Promise.all(tickets);
  expect(outputs.map(({ x }) => x[0])).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect(outputs.map(({ total }) => total[0])).toEqual([1, 3, 6, 10, 15, 21, 28]);
  expect(program.stats.created).toEqual({ buffers: 0, bindGroups: 0, pipelines: 0 });
  expect([...(await readTensor(state.total))]).toEqual([28]);
  program.close();
  release(state);
});

test("state persists between programs, and what lies beside it is left alone", async () => {
  const state = await allocate(gpu, { a: spec([3]), b: spec([2]) }, "state");
  writeTensor(state.b, Float32Array.of(8, 9));
  const program = await compile(gpu, { state, inputs: { x: f32(3) } }, ({ a }, { x }) => {
    copyInto(a, x);
    return {};
  });
  await (await program.run({ x: Float32Array.of(1, 2, 3) })).outputs;
  program.close();
  expect([...(await readTensor(state.a))]).toEqual([1, 2, 3]);
  expect([...(await readTensor(state.b))]).toEqual([8, 9]);
  release(state);
});

test("more than 65,535 workgroups", async () => {
  const count = 65_535 * 64 + 4321;
  const x = Float32Array.from({ length: count }, (_, i) => i);
  const program = await compile(gpu, { inputs: { x: f32(count) } }, (_, { x }) => scale(x, 2));
  const y = await (await program.run({ x })).outputs;
  program.close();
  let wrong = 0;
  for (let i = 0; i < count; i++) if (y[i] !== 2 * i) wrong++;
  expect(wrong).toBe(0);
});

test("a tensor of another program is an error", async () => {
  let stray: Tensor | undefined;
  const first = await compile(gpu, { label: "first", inputs: { x: f32(2) } }, (_, { x }) => {
    stray = scale(x, 2);
    return { x };
  });
  first.close();
  await expect(compile(gpu, { inputs: { x: f32(2) } }, (_, { x }) => add(x, stray!))).rejects.toThrow(
    "add: needs tensors of one program, got f32[2] of another: declare it as state or input",
  );
  await expect(compile(gpu, { label: "second", inputs: { x: f32(2) } }, () => ({ y: stray! }))).rejects.toThrow(
    'second: output "y" is a tensor of another program',
  );
});

test("state that was not declared is an error", async () => {
  const { a } = await allocate(gpu, { a: spec([2]) }, "state");
  await expect(compile(gpu, { inputs: { x: f32(2) } }, (_, { x }) => mul(x, a as unknown as Tensor))).rejects.toThrow(
    "mul: needs tensors of the program, got a value from outside: declare it as state or input",
  );
  release(a);
});

test("inputs of a wrong length or name are errors", async () => {
  const program = await compile(gpu, { label: "step", inputs: { x: f32(2, 3), n: u32() } }, (_, { x, n }) => mul(x, n));
  await expect(program.run({ x: new Float32Array(5), n: 1 })).rejects.toThrow(
    'step: input "x" needs shape [2, 3], got 5 values',
  );
  await expect(program.run({ n: 1 } as never)).rejects.toThrow('step: input "x" needs shape [2, 3], got no values');
  await expect(program.run({ x: new Float32Array(6), n: 1, m: 2 } as never)).rejects.toThrow(
    'step: takes inputs x, n, got "m"',
  );
  expectClose(await (await program.run({ x: new Float32Array(6).fill(2), n: 3 })).outputs, Array(6).fill(6));
  program.close();
});

test("a plan over the budget fails before anything is allocated, and lists its parts", async () => {
  const small = await openGpu({ adapter: process.env.WEBMOE_TEST_ADAPTER, memoryBudget: 3 * 2 ** 20 });
  opened.push(small);
  const state = await allocate(small, { weights: spec([2 ** 18]) }, "weights");
  const created: number[] = [];
  const createBuffer = small.device.createBuffer.bind(small.device);
  small.device.createBuffer = (descriptor) => {
    created.push(descriptor.size);
    return createBuffer(descriptor);
  };
  const body = ({ weights }: { weights: Tensor }, { x }: { x: Tensor }) => ({
    y: sum(mul(scale(weights, 2), x)),
  });
  await expect(compile(small, { label: "step", state, inputs: { x: f32(2 ** 18) } }, body as never)).rejects.toThrow(
    /step: needs [\d.]+ MiB more where 1 MiB of the budget of 3 MiB are taken \(weights 1 MiB, activations [\d.]+ MiB, inputs 1 MiB.*\): use a smaller model, batch/,
  );
  expect(created).toEqual([]);
  expect(small.memoryUsed).toBe(2 ** 20);
  await expect(allocate(small, { more: spec([2 ** 19 + 1]) }, "moments")).rejects.toThrow(/moments: needs 2 MiB more/);
  release(state);
  expect(small.memoryUsed).toBe(0);
});

test("programs that compile side by side share one budget", async () => {
  const small = await openGpu({ adapter: process.env.WEBMOE_TEST_ADAPTER, memoryBudget: 3 * 2 ** 20 });
  opened.push(small);
  const double = () => compile(small, { label: "double", inputs: { x: f32(2 ** 18) } }, (_, { x }) => sum(scale(x, 2)));
  const [first, second] = await Promise.allSettled([double(), double()]);
  expect(first.status).toBe("fulfilled");
  expect(second).toMatchObject({
    reason: { message: expect.stringMatching(/double: needs .* of the budget of 3 MiB/) },
  });
});

test("memory is given back when a program closes", async () => {
  const before = gpu.memoryUsed;
  const program = await compile(gpu, { inputs: { x: f32(1000) } }, (_, { x }) => scale(x, 2));
  expect(gpu.memoryUsed).toBe(before + program.stats.bytes.total);
  program.close();
  expect(gpu.memoryUsed).toBe(before);
});

test("a binding over the adapter's limit is an error at trace time", () => {
  const limits = { maxStorageBufferBindingSize: 1024, maxBufferSize: 4096 };
  const trace = new Trace(new Recording(gpu.target, limits));
  const x = trace.temporary([64, 5], "f32", "x");
  expect(() => scale(x, 2)).toThrow(
    /scale: this adapter binds at most 1 KiB at once, got 1.25 KiB for "a0" \(x\): make the tensor smaller/,
  );
  expect(() => scale(rowRange(x, 0, 32), 2)).not.toThrow();
});

test("a range of rows must start on 256 bytes", async () => {
  await expect(compile(gpu, { inputs: { x: f32(8, 3) } }, (_, { x }) => rowRange(x, 2, 4))).rejects.toThrow(
    "rowRange: needs a start on a multiple of 256 bytes, got row 2 of 12 bytes each",
  );
  await expect(compile(gpu, { inputs: { x: f32(8, 3) } }, (_, { x }) => rowRange(x, 0, 9))).rejects.toThrow(
    "rowRange: needs rows within [8, 3], got 0 to 9",
  );
});
