import { readFile } from "node:fs/promises";
import { allocate, compile, type DeviceTensor, f32, leaves, readTensor, spec, writeTensor } from "@webmoe/tensor";
import { parseSafetensors } from "@webmoe/tensor/files";
import { expectClose, testGpu } from "@webmoe/webgpu/testing";
import { expect, test } from "vitest";
import { initOptimizer, type OptimizerOptions, optimize } from "./optimizer";

const fixture = parseSafetensors(await readFile(new URL("./fixtures/optimizers.safetensors", import.meta.url)));
const shapes: Record<string, number[]> = { wide: [2, 4, 6], tall: [12, 3], norm: [7], head: [5, 4] };
type Gradients = Record<string, Float32Array>;
const gradientOf = (step: number): Gradients =>
  Object.fromEntries(
    Object.keys(shapes).map((name) => [name, Float32Array.from(fixture.get(`gradient.${step}.${name}`)!.values)]),
  );

/** Everything an optimizer changed after some steps, by path. */
async function trained(options: OptimizerOptions, steps: Gradients[]): Promise<Map<string, ArrayLike<number>>> {
  const gpu = await testGpu();
  const specs = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, spec(shape)]));
  const parameters = (await allocate(gpu, specs, "parameters")) as Record<string, DeviceTensor>;
  for (const name of Object.keys(shapes)) {
    writeTensor(parameters[name]!, Float32Array.from(fixture.get(`start.${name}`)!.values));
  }
  const state = { parameters, optimizer: await initOptimizer(gpu, parameters, options) };
  const inputs = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, f32(...shape)]));
  const program = await compile(gpu, { state, inputs: { ...inputs, lr: f32() } }, (handles, { lr, ...gradients }) =>
    optimize(handles.parameters, gradients as never, handles.optimizer as never, lr!, options),
  );
  for (const gradients of steps) await (await program.run({ ...gradients, lr: 0.1 } as never)).outputs;
  program.close();
  const values = new Map<string, ArrayLike<number>>();
  for (const [path, leaf] of leaves<DeviceTensor>(state)) values.set(path, await readTensor(leaf));
  return values;
}

const settings: Record<"muon" | "sgd", OptimizerOptions> = {
  muon: {
    name: "muon",
    weightDecay: 0.2,
    matrixRate: 3,
    matrices: (path) => (path === "wide" ? [2, 4, 6] : path === "tall" ? [1, 12, 3] : undefined),
  },
  sgd: { name: "sgd", weightDecay: 0.2 },
};

test.each(["muon", "sgd"] as const)("three steps of %s are PyTorch's: weights and velocities", async (name) => {
  const values = await trained(settings[name], [0, 1, 2].map(gradientOf));
  const velocities = Object.keys(shapes).filter((of) => fixture.has(`${name}Velocity.${of}`));
  expect(velocities).toEqual(name === "sgd" ? Object.keys(shapes) : ["wide", "tall"]);
  for (const of of Object.keys(shapes)) {
    expectClose(values.get(`parameters.${of}`)!, fixture.get(`${name}.${of}`)!.values, 2e-4);
  }
  for (const of of velocities) {
    expectClose(values.get(`optimizer.first.${of}`)!, fixture.get(`${name}Velocity.${of}`)!.values, 1e-5);
  }
});

test.each(["muon", "sgd", "adamw"] as const)(
  "%s: a step with a gradient that is no number leaves every bit",
  async (name) => {
    const options = name === "adamw" ? { name } : settings[name];
    const bad = gradientOf(1);
    const before = await trained(options, [gradientOf(0)]);
    for (const [of, value] of [
      ["wide", Number.NaN],
      ["norm", Number.POSITIVE_INFINITY],
    ] as const) {
      const spoiled = { ...bad, [of]: bad[of]!.map((own, index) => (index === 3 ? value : own)) };
      const after = await trained(options, [gradientOf(0), spoiled]);
      expect([...after.keys()]).toEqual([...before.keys()]);
      for (const [path, values] of before) expect(after.get(path), path).toEqual(values);
    }
    const moved = await trained(options, [gradientOf(0), bad]);
    for (const path of ["parameters.wide", "parameters.norm", "optimizer.first.tall"]) {
      expect(moved.get(path), path).not.toEqual(before.get(path));
    }
  },
);
