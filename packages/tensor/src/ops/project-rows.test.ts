import { planningGpu } from "@webmoe/webgpu";
import { matrixTarget, testGpu } from "@webmoe/webgpu/testing";
import { expect, test } from "vitest";
import { compile } from "../compile";
import { gradients } from "../gradients";
import { type AnyTensor, f32, type Tensor } from "../tensor";
import { checkGradient, errorsOfMixed, random } from "../testing";
import { add, mul } from "./elementwise";
import { projectRows } from "./project-rows";
import { sum } from "./reduce";

test("gradients of rows and of the matrix", () =>
  checkGradient(
    (x, weight) => projectRows(x, weight),
    [
      [3, 4],
      [5, 4],
    ],
  ));

/** The shapes of two projections of so many rows, and of the gradients of their results. */
function twoProjections(rows: number) {
  const [inputs, width] = [768, 512];
  const weight = [width, inputs];
  return { x: [rows, inputs], one: weight, two: weight, dy: [rows, width], dz: [rows, width] };
}

function trainBoth(tensors: Record<string, AnyTensor>) {
  const { x, one, two, dy, dz } = tensors as Record<"x" | "one" | "two" | "dy" | "dz", Tensor>;
  const [y, z] = [projectRows(x, one), projectRows(mul(x, x), two)];
  return { y, z, ...gradients(sum(add(mul(y, dy), mul(z, dz))), { x, one, two }) };
}

// On matrix units the gradients of both matrices are one kernel, with operands rounded to f16.
test("two projections in mixed precision are near those in f32", async () => {
  const inputs = Object.fromEntries(
    Object.entries(twoProjections(1376)).map(([name, shape], index) => [name, random(shape, index + 1)]),
  );
  for (const [name, error] of await errorsOfMixed(inputs, trainBoth)) expect(error, name).toBeLessThan(3e-3);
});

test.each([
  { rows: 1376, products: [2752] },
  { rows: 1384, products: [1384, 1384] },
])("gradients are one product where its parts can end with the rows of each, %o", async ({ rows, products }) => {
  const gpu = planningGpu({ ...(await testGpu()), target: matrixTarget });
  const inputs = Object.fromEntries(Object.entries(twoProjections(rows)).map(([name, shape]) => [name, f32(...shape)]));
  await compile(gpu, { inputs, precision: "mixed", label: "both" }, (_, tensors) => trainBoth(tensors));
  const lengths = gpu.planning!.get("both")!.flatMap(({ sizes }) => sizes.match(/m 512, n 768, k (\d+)/)?.[1] ?? []);
  expect(lengths.map(Number)).toEqual(products);
});
