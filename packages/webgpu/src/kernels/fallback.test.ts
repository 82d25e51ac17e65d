import { expect, test } from "vitest";
import { compileKernel, type Kernel, type KernelTarget } from "../kernel";
import "../testing";
import { attentionBackwardKeyValue, attentionBackwardQuery, attentionForward } from "./attention";
import {
  groupedMatmul,
  groupedMatmulGather,
  groupedTakesHalves,
  groupedWeightGradient,
  groupedWeightGradientGather,
} from "./grouped-matmul";
import { matmul, matmulAccumulate, matmulSplit, takesHalves } from "./matmul";

const layout = { transposeA: false, transposeB: true };
const grouped = { rows: 512, out: 96, in: 64, experts: 3 };
const attention = { batch: 1, context: 200, heads: 2, headDim: 64 };
const forward = { direction: "forward" } as const;

/** Every kernel that has a form for matrix units, at sizes that fit them. */
const cases: [name: string, kernel: unknown, sizes: Record<string, number>, options: unknown][] = [
  ["matmul", matmul, { batch: 1, m: 256, n: 256, k: 64 }, layout],
  ["matmulAccumulate", matmulAccumulate, { batch: 1, m: 256, n: 256, k: 64 }, layout],
  ["matmulSplit", matmulSplit, { splits: 2, m: 64, n: 64, k: 128 }, layout],
  ["groupedMatmul", groupedMatmul, grouped, forward],
  ["groupedMatmulGather", groupedMatmulGather, grouped, forward],
  ["groupedWeightGradient", groupedWeightGradient, { ...grouped, spares: 2 }, {}],
  ["groupedWeightGradientGather", groupedWeightGradientGather, { ...grouped, spares: 2 }, {}],
  ["attentionForward", attentionForward, attention, {}],
  ["attentionBackwardQuery", attentionBackwardQuery, attention, {}],
  ["attentionBackwardKeyValue", attentionBackwardKeyValue, attention, {}],
];

/** Attention on matrix units reads packed operands alone. */
const packed = (kernel: unknown, options: unknown) =>
  [attentionForward, attentionBackwardQuery, attentionBackwardKeyValue].includes(kernel as typeof attentionForward)
    ? { halves: true }
    : options;

const target = (changes: Partial<KernelTarget>): KernelTarget => ({
  kernelClass: "tiled",
  subgroups: true,
  matrixUnits: true,
  precision: "mixed",
  ...changes,
});

test.each(cases)("%s: without matrix units mixed precision runs what f32 does", (_, kernel, sizes, options) => {
  const text = (changes: Partial<KernelTarget>, given = options) =>
    compileKernel(kernel as Kernel<string, string, unknown>, sizes, target(changes), given).wgsl;
  expect(text({}, packed(kernel, options))).toContain("enable f16");
  for (const subgroups of [true, false]) {
    const plain = text({ matrixUnits: false, subgroups });
    expect(plain).toBe(text({ matrixUnits: false, subgroups, precision: "f32" }));
    expect(plain).not.toMatch(/enable f16|subgroup_matrix/);
    if (!subgroups) expect(plain).not.toMatch(/subgroup/);
  }
});

test("without matrix units no operand is rounded to f16", () => {
  const large = { batch: 1, m: 4096, n: 4096, k: 4096 };
  const experts = { rows: 16384, out: 1024, in: 1024, experts: 8 };
  expect([takesHalves(large, layout, target({})), groupedTakesHalves(experts, target({}))]).toEqual([true, true]);
  for (const less of [target({ matrixUnits: false }), target({ precision: "f32" })]) {
    expect([takesHalves(large, layout, less), groupedTakesHalves(experts, less)]).toEqual([false, false]);
  }
});
