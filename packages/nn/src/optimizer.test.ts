import { allocate, compile, evaluate, f32, leaves, readTensor, spec, writeTensor } from "@webmoe/tensor";
import { expectClose, testGpu, testNumbers } from "@webmoe/webgpu/testing";
import { describe, expect, test } from "vitest";
import { newtonSchulz } from "./newton-schulz";
import { initOptimizer, type OptimizerOptions, optimize } from "./optimizer";

type Matrix = number[][];

const product = (a: Matrix, b: Matrix): Matrix =>
  a.map((row) => b[0]!.map((_, j) => row.reduce((sum, x, k) => sum + x * b[k]![j]!, 0)));
const transposed = (a: Matrix): Matrix => a[0]!.map((_, j) => a.map((row) => row[j]!));
const combined = (a: Matrix, x: number, b: Matrix, y: number): Matrix =>
  a.map((row, i) => row.map((value, j) => x * value + y * b[i]![j]!));

/** The iteration as it is written down: always with X X^T, on the transposed matrix where it is tall. */
function orthogonalised(g: Matrix): Matrix {
  if (g.length > g[0]!.length) return transposed(orthogonalised(transposed(g)));
  const norm = Math.hypot(...g.flat()) + 1e-7;
  let x = g.map((row) => row.map((value) => value / norm));
  for (let step = 0; step < 5; step++) {
    const s = product(x, transposed(x));
    x = combined(x, 3.4445, product(combined(s, -4.775, product(s, s), 2.0315), x), 1);
  }
  return x;
}

const matricesOf = (values: Float32Array, [count, rows, columns]: number[]): Matrix[] =>
  Array.from({ length: count! }, (_, n) =>
    Array.from({ length: rows! }, (_, i) => [
      ...values.subarray((n * rows! + i) * columns!, (n * rows! + i + 1) * columns!),
    ]),
  );

describe("Newton-Schulz", () => {
  test.each([
    [1, 5, 5],
    [3, 4, 9],
    [2, 17, 6],
    [2, 1, 8],
  ])("%i matrices of %i by %i", async (...shape) => {
    const data = testNumbers(shape[0] * shape[1] * shape[2], 3);
    const { y } = await evaluate(await testGpu(), { g: { shape, data } }, ({ g }) => ({ y: newtonSchulz(g) }));
    expectClose(y, matricesOf(data, shape).map(orthogonalised).flat(2), 2e-4);
  });

  test("singular values come near 1, and zeros stay zero", async () => {
    const shape = [2, 6, 10];
    const data = testNumbers(120, 5);
    data.fill(0, 60);
    const { y } = await evaluate(await testGpu(), { g: { shape, data } }, ({ g }) => ({ y: newtonSchulz(g) }));
    expect(y.subarray(60).every((value) => value === 0)).toBe(true);
    const [x] = matricesOf(y as Float32Array, shape);
    const gram = product(x!, transposed(x!));
    const trace = gram.reduce((sum, row, i) => sum + row[i]!, 0);
    expect(trace / 6).toBeGreaterThan(0.5);
    expect(trace / 6).toBeLessThan(1.4);
  });
});

const shapes = { wide: [2, 4, 6], tall: [12, 3], norm: [7], head: [5, 4] };
type Name = keyof typeof shapes;
type Values = Record<Name, Float32Array>;
const size = (name: Name) => shapes[name].reduce((a, b) => a * b, 1);
const named = (make: (name: Name, index: number) => Float32Array) =>
  Object.fromEntries((Object.keys(shapes) as Name[]).map((name, index) => [name, make(name, index)])) as Values;
const start = named((name, index) => testNumbers(size(name), index + 40));
const gradientsOf = (seed: number) => named((name, index) => testNumbers(size(name), seed + index));

async function update(steps: Values[], options: OptimizerOptions) {
  const gpu = await testGpu();
  const specs = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, spec(shape)]));
  const parameters = (await allocate(gpu, specs, "parameters")) as Record<Name, Parameters<typeof readTensor>[0]>;
  for (const name of Object.keys(shapes) as Name[]) writeTensor(parameters[name], start[name]);
  const state = { parameters, optimizer: await initOptimizer(gpu, parameters, options) };
  const inputs = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, f32(...shape)]));
  const program = await compile(gpu, { state, inputs: { ...inputs, lr: f32() } }, (handles, { lr, ...gradients }) => {
    return optimize(handles.parameters, gradients as never, handles.optimizer as never, lr!, options);
  });
  for (const given of steps) await (await program.run({ ...given, lr: 0.1 } as never)).outputs;
  program.close();
  const values = {} as Values;
  for (const name of Object.keys(shapes) as Name[]) values[name] = (await readTensor(parameters[name])) as Float32Array;
  return { values, second: leaves(state.optimizer.second).map(([path]) => path) };
}

test("two steps of Muon are those of the formulas, and AdamW updates the rest", async () => {
  const options: OptimizerOptions = {
    name: "muon",
    clip: 0,
    weightDecay: 0.2,
    matrixRate: 3,
    matrices: (path, shape) => (path === "wide" ? [2, 4, 6] : path === "tall" ? [1, shape[0]!, shape[1]!] : undefined),
  };
  const steps = [gradientsOf(1), gradientsOf(21)];
  const { values, second } = await update(steps, options);
  expect(second).toEqual(["norm", "head"]);
  const adamw = await update(steps, { ...options, name: "adamw" });
  expect([values.norm, values.head]).toEqual([adamw.values.norm, adamw.values.head]);
  for (const [name, shape] of [
    ["wide", [2, 4, 6]],
    ["tall", [1, 12, 3]],
  ] as [Name, number[]][]) {
    let p = matricesOf(start[name], shape);
    let v = p.map((matrix) => matrix.map((row) => row.map(() => 0)));
    for (const given of steps) {
      const g = matricesOf(given[name], shape);
      v = v.map((matrix, n) => combined(matrix, 0.95, g[n]!, 1));
      const factor = Math.sqrt(Math.max(1, shape[1]! / shape[2]!));
      p = p.map((matrix, n) =>
        combined(matrix, 1 - 0.3 * 0.2, orthogonalised(combined(g[n]!, 1, v[n]!, 0.95)), -0.3 * factor),
      );
    }
    expectClose(values[name], p.flat(2), 5e-4);
  }
});

test("gradient descent with momentum keeps one velocity and decays matrices", async () => {
  const steps = [gradientsOf(1), gradientsOf(21)];
  const { values, second } = await update(steps, { name: "sgd", momentum: 0.9, weightDecay: 0.5, clip: 0 });
  expect(second).toEqual([]);
  for (const name of Object.keys(shapes) as Name[]) {
    const decay = shapes[name].length > 1 ? 0.5 : 0;
    const expected = [...start[name]].map((p, i) => {
      const first = p - 0.1 * (decay * p + steps[0]![name][i]!);
      return first - 0.1 * (decay * first + 0.9 * steps[0]![name][i]! + steps[1]![name][i]!);
    });
    expectClose(values[name], expected);
  }
});

test("clipping holds for every optimizer", async () => {
  const [given] = [gradientsOf(1)];
  const norm = Math.hypot(...Object.values(given).flatMap((values) => [...values]));
  const clipped = await update([given], { name: "sgd", weightDecay: 0, clip: 0.5 });
  expectClose(
    clipped.values.head,
    [...start.head].map((p, i) => p - (0.1 * 0.5 * given.head[i]!) / norm),
  );
});
