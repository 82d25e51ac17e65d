import { planningGpu } from "@webmoe/webgpu";
import { matrixTarget, testGpu } from "@webmoe/webgpu/testing";
import { expect, test } from "vitest";
import { compile } from "../compile";
import { gradients } from "../gradients";
import { type AnyTensor, f32, type Tensor } from "../tensor";
import { checkGradient, random, relativeError } from "../testing";
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

/** Shapes and values of two projections of so many rows, and the gradients of their results. */
function twoProjections(rows: number) {
  const [inputs, width] = [768, 512];
  const weight = [width, inputs];
  const given = { x: [rows, inputs], one: weight, two: weight, dy: [rows, width], dz: [rows, width] };
  const data = Object.fromEntries(Object.entries(given).map(([name, shape], i) => [name, random(shape, i + 1).data]));
  const specs = Object.fromEntries(Object.entries(given).map(([name, shape]) => [name, f32(...shape)]));
  return { data, specs };
}

function trainBoth(_: unknown, tensors: Record<string, AnyTensor>) {
  const { x, one, two, dy, dz } = tensors as Record<"x" | "one" | "two" | "dy" | "dz", Tensor>;
  const [y, z] = [projectRows(x, one), projectRows(mul(x, x), two)];
  return { y, z, ...gradients(sum(add(mul(y, dy), mul(z, dz))), { x, one, two }) };
}

// On matrix units the gradients of both matrices are one kernel, with operands rounded to f16.
test("two projections in mixed precision are near those in f32", async () => {
  const { data, specs } = twoProjections(1376);
  const run = async (precision: "f32" | "mixed") => {
    const program = await compile(await testGpu(), { inputs: specs, precision }, trainBoth);
    const outputs = await (await program.run(data)).outputs;
    program.close();
    return Object.entries(outputs) as [string, Float32Array][];
  };
  const exact = new Map(await run("f32"));
  for (const [name, values] of await run("mixed")) {
    expect(relativeError(values, exact.get(name)!), name).toBeLessThan(3e-3);
  }
});

test.each([
  { rows: 1376, products: [2752] },
  { rows: 1384, products: [1384, 1384] },
])("gradients are one product where its parts can end with the rows of each, %o", async ({ rows, products }) => {
  const gpu = planningGpu({ ...(await testGpu()), target: matrixTarget });
  await compile(gpu, { inputs: twoProjections(rows).specs, precision: "mixed", label: "both" }, trainBoth);
  const lengths = gpu.planning!.get("both")!.flatMap(({ sizes }) => sizes.match(/m 512, n 768, k (\d+)/)?.[1] ?? []);
  expect(lengths.map(Number)).toEqual(products);
});
