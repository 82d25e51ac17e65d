import { expectClose, testGpu } from "@webmoe/webgpu/testing";
import { expect, test } from "vitest";
import { compile } from "../compile";
import { gradients } from "../gradients";
import { f32, type Tensor } from "../tensor";
import { checkGradient, random, relativeError, valuesOf } from "../testing";
import { add, mul } from "./elementwise";
import { gruCell, gruGates } from "./gru";
import { sum } from "./reduce";

const gates = (...[input, hidden, inputBias, hiddenBias, state]: Tensor[]) =>
  gruGates({ input: input!, hidden: hidden!, inputBias: inputBias!, hiddenBias: hiddenBias!, state: state! });

test.each([
  [1, 1],
  [3, 2],
])("gradients of every input, %i rows of width %i", (rows, width) =>
  checkGradient(gates, [[rows, 3 * width], [rows, 3 * width], [3 * width], [3 * width], [rows, width]]),
);

test("a shut update gate lets the candidate through, an open one keeps the state", async () => {
  const zeros = (...shape: number[]) => ({ shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) });
  const input = { shape: [2, 3], data: Float32Array.of(0, -30, 0.7, 0, 30, 0.7) }; // reset, update, candidate
  const state = { shape: [2, 1], data: Float32Array.of(-0.4, -0.4) };
  expectClose(await valuesOf(gates, [input, zeros(2, 3), zeros(3), zeros(3), state]), [Math.tanh(0.7), -0.4]);
});

test("a bias of another width is an error", async () => {
  const inputs = [random([2, 9]), random([2, 9]), random([9]), random([3]), random([2, 3])];
  await expect(valuesOf(gates, inputs)).rejects.toThrow(
    "gruGates: hiddenBias needs 9 elements for a state [2, 3], got f32[3]",
  );
});

test("gradients of every input of a cell", () =>
  checkGradient(
    (x, state, inputWeight, hiddenWeight, inputBias, hiddenBias) =>
      gruCell({ x, state, inputWeight, hiddenWeight, inputBias, hiddenBias }),
    [[3, 4], [3, 2], [6, 4], [6, 2], [6], [6]],
  ));

test("a weight of another shape is an error", async () => {
  const inputs = [random([2, 4]), random([2, 3]), random([9, 4]), random([9, 2]), random([9]), random([9])] as const;
  const cell = (...[x, state, inputWeight, hiddenWeight, inputBias, hiddenBias]: Tensor[]) =>
    gruCell({
      x: x!,
      state: state!,
      inputWeight: inputWeight!,
      hiddenWeight: hiddenWeight!,
      inputBias: inputBias!,
      hiddenBias: hiddenBias!,
    });
  await expect(valuesOf(cell, inputs)).rejects.toThrow(
    "gruCell: hiddenWeight needs shape [9, 3] for a state [2, 3], got f32[9, 2]",
  );
});

// On matrix units another kernel computes the cell, with operands rounded to f16.
test.each([
  [96, 64],
  [128, 128],
])("three layers in mixed precision are near those in f32, %i rows of width %i", async (rows, width) => {
  const shapes = {
    x: [rows, width],
    state: [rows, width],
    inputWeight: [3 * width, width],
    hiddenWeight: [3 * width, width],
    inputBias: [3 * width],
    hiddenBias: [3 * width],
    dy: [rows, width],
  };
  const data = Object.fromEntries(
    Object.entries(shapes).map(([name, shape], index) => {
      const values = random(shape, index + 1).data;
      return [name, name.endsWith("Weight") ? values.map((w) => w / 8) : values];
    }),
  );
  const inputs = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, f32(...shape)]));
  const run = async (precision: "f32" | "mixed") => {
    const program = await compile(await testGpu(), { inputs, precision }, (_, given) => {
      const { dy, ...learned } = given as Record<keyof typeof shapes, Tensor>;
      let { state } = learned;
      const states = [0, 1, 2].map(() => {
        state = gruCell({ ...learned, state });
        return state;
      });
      return { next: state, ...gradients(sum(mul(add(...states), dy)), learned) };
    });
    const outputs = await (await program.run(data)).outputs;
    program.close();
    return Object.entries(outputs) as [string, Float32Array][];
  };
  const exact = new Map(await run("f32"));
  for (const [name, values] of await run("mixed")) {
    expect(relativeError(values, exact.get(name)!), name).toBeLessThan(3e-3);
  }
});
