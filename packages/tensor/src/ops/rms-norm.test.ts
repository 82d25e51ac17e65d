import { expectClose } from "@webmoe/webgpu/testing";
import { expect, test } from "vitest";
import { checkGradient, random, valuesOf } from "../testing";
import { add, scale } from "./elementwise";
import { constant } from "./formulas";
import { addRmsNorm, rmsNorm } from "./rms-norm";

test.each([
  [[1, 1], 1],
  [[3, 5], 5],
  [[2, 3, 7], 7],
])("gradients of rmsNorm of %j", (shape, cols) =>
  // Rows away from zero: near it the norm bends sharply.
  checkGradient((x, weight) => rmsNorm(x, weight), [shape, [cols]], { low: 0.5, high: 2 }),
);

test("values", async () => {
  const [x, weight] = [random([2, 3]), random([3], 2)];
  const expected = x.data.map((value, i) => {
    const row = x.data.subarray(i - (i % 3), i - (i % 3) + 3);
    const square = row.reduce((total, x) => total + x * x, 0) / 3;
    return (value / Math.sqrt(square + 1e-5)) * weight.data[i % 3]!;
  });
  expectClose(await valuesOf((x, weight) => rmsNorm(x, weight), [x, weight]), expected);
});

test("a weight of another width is an error", async () => {
  await expect(valuesOf((x, weight) => rmsNorm(x, weight), [random([2, 3]), random([2])])).rejects.toThrow(
    "rmsNorm: needs a weight of 3 elements for x [2, 3], got [2]",
  );
});

test.each([
  [[1, 1], 1],
  [[3, 5], 5],
  [[2, 3, 8], 8],
])("gradients of addRmsNorm of %j", (shape, cols) =>
  checkGradient(
    (x, branch, weight) => {
      const { sum, normalized } = addRmsNorm(x, branch, weight);
      return add(scale(sum, 0.3), normalized);
    },
    [shape, shape, [cols]],
    { low: 0.5, high: 2 },
  ),
);

test("addRmsNorm where only one of its results is used", async () => {
  const shapes = [[3, 5], [3, 5], [5]];
  await checkGradient((x, branch, weight) => addRmsNorm(x, branch, weight).normalized, shapes, { low: 0.5, high: 2 });
  await checkGradient((x, branch) => addRmsNorm(x, branch, constant(x.trace, [5], 1)).sum, shapes.slice(0, 2));
});

test("addRmsNorm is rmsNorm of a sum", async () => {
  const inputs = [random([4, 8]), random([4, 8], 2), random([8], 3)];
  expectClose(
    await valuesOf((x, branch, weight) => addRmsNorm(x, branch, weight).normalized, inputs),
    await valuesOf((x, branch, weight) => rmsNorm(add(x, branch), weight), inputs),
  );
});
