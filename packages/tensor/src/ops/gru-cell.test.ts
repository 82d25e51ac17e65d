import { expect, test } from "vitest";
import { gradients } from "../gradients";
import type { Tensor } from "../tensor";
import { checkGradient, errorsOfMixed, random, valuesOf } from "../testing";
import { add, mul } from "./elementwise";
import { gruCell, scoreState } from "./gru-cell";
import { sum } from "./reduce";

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

test("a cell without a state is one whose state is zero", () =>
  checkGradient(
    (x, inputWeight, hiddenWeight, inputBias, hiddenBias) =>
      gruCell({ x, inputWeight, hiddenWeight, inputBias, hiddenBias }),
    [[3, 4], [6, 4], [6, 2], [6], [6]],
  ));

test("gradients of a state's scores", () =>
  checkGradient(
    (x, gate) => scoreState(x!, gate!),
    [
      [3, 4],
      [5, 4],
    ],
  ));

const cellShapes = (rows: number, width: number) => ({
  x: [rows, width],
  state: [rows, width],
  inputWeight: [3 * width, width],
  hiddenWeight: [3 * width, width],
  inputBias: [3 * width],
  hiddenBias: [3 * width],
});

// On matrix units other kernels compute the cell and the gradients of its scores, with operands rounded to f16.
test.each([
  { rows: 64, width: 64, experts: 8, first: "given" },
  { rows: 64, width: 64, experts: 8, first: "zero" },
  { rows: 96, width: 64, experts: 16, first: "zero" },
  { rows: 64, width: 64, experts: 20, first: "zero" },
  { rows: 128, width: 128, experts: 16, first: "given" },
])("three scored layers in mixed precision are near those in f32, %o", async ({ rows, width, experts, first }) => {
  const gate = [experts, width];
  const scores = { gate0: gate, gate1: gate, gate2: gate, dlogits: [rows, experts] };
  const given = { ...cellShapes(rows, width), ...scores, dnext: [rows, width] };
  const inputs = Object.fromEntries(
    Object.entries(given).map(([name, shape], index) => {
      const { data } = random(shape, index + 1);
      return [name, { shape, data: name.endsWith("Weight") ? data.map((w) => w / 8) : data }];
    }),
  );
  const errors = await errorsOfMixed(inputs, (tensors) => {
    const { dnext, dlogits, state, ...learned } = tensors as Record<keyof typeof given, Tensor>;
    const { gate0, gate1, gate2, ...shared } = learned;
    const one = gruCell({ ...shared, state: first === "given" ? state : undefined });
    const two = gruCell({ ...shared, state: one });
    const three = gruCell({ ...shared, state: two }); // read by its scores alone
    const states = sum(mul(add(one, two), dnext));
    const logits = add(scoreState(one, gate0), scoreState(two, gate1), scoreState(three, gate2));
    const parameters = first === "given" ? { ...learned, state } : learned;
    return { next: three, logits, ...gradients(add(states, sum(mul(logits, dlogits))), parameters) };
  });
  for (const [name, error] of errors) expect(error, name).toBeLessThan(3e-3);
});
