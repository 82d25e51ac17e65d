import { expect, test } from "vitest";
import type { KernelSource } from "./kernel";
import { matmul } from "./kernels/matmul";
import { compileProgram } from "./program/program";
import { Recording } from "./program/recording";
import { testedTarget } from "./self-test";
import { testGpu } from "./testing";

/** A product that takes the place of the one on matrix units, which most adapters lack: the text of the other, changed. */
const changed = (change: (wgsl: string) => string): typeof matmul => ({
  ...matmul,
  source: (sizes, target, layout): KernelSource => {
    if (target.precision !== "mixed") throw new Error("self-test: the tested product must be in mixed precision");
    const source = matmul.source(sizes, { ...target, matrixUnits: false }, layout);
    return { ...source, wgsl: change(source.wgsl) };
  },
});

const workshop = { matmul, compileProgram, Recording };

/** The target that a device with matrix units gets, and the warnings. */
async function tested(product: typeof matmul) {
  const gpu = await testGpu();
  const warnings: string[] = [];
  const device = { ...gpu, target: { ...gpu.target, matrixUnits: true } };
  const target = await testedTarget(device, "Test 1", (message) => warnings.push(message), workshop, product);
  return { gpu, target, warnings };
}

test("a right product keeps the matrix units", async () => {
  const { gpu, target, warnings } = await tested(changed((wgsl) => wgsl));
  expect(target).toEqual({ ...gpu.target, matrixUnits: true });
  expect(warnings).toEqual([]);
});

test.each([
  [
    "b at another place",
    (wgsl: string) => wgsl.replace("let b = vectorB(k, columns)", "let b = vectorB(k ^ 1u, columns)"),
    /off by \d/,
  ],
  [
    "not a number",
    (wgsl: string) => wgsl.replace("= value;", "= value * bitcast<f32>(0x7fc00000u + sizes.count * 0u);"),
    /off by NaN/,
  ],
  ["a shader that does not compile", () => "fn run(item: u32) { c[item] = missing; }", /their shader fails: .*missing/],
])("%s: they are given up with one warning, and the device goes on", async (_, change, reason) => {
  const product = changed(change);
  const { gpu, target, warnings } = await tested(product);
  expect(target).toEqual({ ...gpu.target, matrixUnits: false });
  expect(warnings).toEqual([expect.stringMatching(reason)]);
  expect(warnings[0]).toMatch(
    /^openGpu: matrix units of Test 1 are not used, because .*: products take longer without them; a newer/,
  );
  gpu.check();
  expect((await tested(changed((wgsl) => wgsl))).warnings).toEqual([]);
});
