import { expect, test } from "vitest";
import type { KernelSource, KernelTarget } from "./kernel";
import { matmul } from "./kernels/matmul";
import { compileProgram } from "./program/program";
import { Recording } from "./program/recording";
import { testedTarget } from "./self-test";
import { matrixTarget, testGpu } from "./testing";

/** WGSL of a product, one element an item, with which a fault takes the place of what is right. */
interface Fault {
  /** Where the row of a and the column of b begin. */
  a?: string;
  b?: string;
  /** How far the sum goes, and what is made of it. */
  terms?: string;
  result?: string;
}

/** A product on matrix units, which most adapters lack, played by a loop that every adapter runs alike. */
const product = ({
  a = "row * sizes.k + k",
  b = "column * sizes.k + k",
  terms = "sizes.k",
  result = "sum",
}: Fault = {}): typeof matmul => ({
  ...matmul,
  source: ({ m, n }, target, layout): KernelSource => {
    if (target.precision !== "mixed") throw new Error("self-test: the tested product must be in mixed precision");
    if (layout.transposeA || !layout.transposeB) throw new Error("self-test: this product is a b^T");
    return {
      form: "items",
      items: m * n,
      wgsl: `
fn run(item: u32) {
  let row = item / sizes.n;
  let column = item % sizes.n;
  var sum = 0.0;
  for (var k = 0u; k < ${terms}; k++) { sum += a[${a}] * b[${b}]; }
  c[item] = ${result};
}`,
    };
  },
});

const workshop = { matmul, compileProgram, Recording };

/** The target that a device with matrix units gets, and the warnings. */
async function tested(product: typeof matmul, kernelClass: KernelTarget["kernelClass"] = "tiled") {
  const gpu = await testGpu();
  const warnings: string[] = [];
  const device = { ...gpu, target: { ...gpu.target, kernelClass, matrixUnits: true } };
  const target = await testedTarget(device, "Test 1", (message) => warnings.push(message), workshop, product);
  return { gpu, target, warnings };
}

test.each(["tiled", "serial"] as const)("a right product keeps the matrix units, %s", async (kernelClass) => {
  const { gpu, target, warnings } = await tested(product(), kernelClass);
  expect(target).toEqual({ ...gpu.target, kernelClass, matrixUnits: true });
  expect(warnings).toEqual([]);
});

test("what is tested runs on matrix units, in two steps along the sum", async () => {
  const sources: KernelSource[] = [];
  const source: typeof matmul.source = (sizes, target, layout) => {
    sources.push(matmul.source(sizes, { ...matrixTarget, precision: target.precision }, layout));
    return product().source(sizes, target, layout);
  };
  await tested({ ...matmul, source });
  expect(sources).toEqual([expect.objectContaining({ form: "groups", groups: [1, 1, 1], matrixUnits: true })]);
  expect(sources[0]!.wgsl).toContain("round < 2u");
});

test.each<[string, Fault, RegExp]>([
  ["b at another place", { b: "column * sizes.k + (k ^ 1u)" }, /off by \d/],
  ["two rows swapped", { a: "(row ^ 1u) * sizes.k + k" }, /off by \d/],
  ["two columns of fragments swapped", { b: "(column ^ 16u) * sizes.k + k" }, /off by \d/],
  ["rows for columns", { a: "column * sizes.k + k", b: "row * sizes.k + k" }, /off by \d/],
  ["one element off by a thousandth", { result: "sum * select(1.0, 1.001, item == 1151u)" }, /off by 0\.00\d/],
  ["one step along the sum alone", { terms: "sizes.k / 2u" }, /off by \d/],
  ["a step taken twice", { a: "row * sizes.k + k % 64u", b: "column * sizes.k + k % 64u" }, /off by \d/],
  ["the last term left out", { terms: "sizes.k - 1u" }, /off by \d/],
  ["sums of few bits", { result: "round(sum * 256.0) / 256.0" }, /off by 0\.00\d/],
  ["not a number", { result: "sum * bitcast<f32>(0x7fc00000u + item)" }, /off by NaN/],
  ["a shader that does not compile", { result: "missing" }, /their shader fails: .*missing/],
])("%s: they are given up with one warning, and the device goes on", async (_, fault, reason) => {
  const { gpu, target, warnings } = await tested(product(fault));
  expect(target).toEqual({ ...gpu.target, kernelClass: "tiled", matrixUnits: false });
  expect(warnings).toEqual([expect.stringMatching(reason)]);
  expect(warnings[0]).toMatch(
    /^openGpu: matrix units of Test 1 are not used, because .*: products take longer without them; a newer/,
  );
  gpu.check();
  expect((await tested(product())).warnings).toEqual([]);
});
