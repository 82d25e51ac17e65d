import type { KernelTarget } from "@webmoe/webgpu";
import { expectClose, kernelTargets, matrixTarget, testGpu } from "@webmoe/webgpu/testing";
import { expect, test } from "vitest";
import { compile, evaluate } from "../compile";
import { gradients } from "../gradients";
import type { Tensor } from "../tensor";
import { random } from "../testing";
import { mul } from "./elementwise";
import { combineExperts, expertLinear, groupByExpert, tokenOfAssignment } from "./experts";
import { sum } from "./reduce";

// Experts with so many rows that they are cut: 4,400 assignments, where a part has at most 1,536 rows.
const [tokens, experts, dim, hidden] = [2200, 8, 40, 48];
const NONE = 0xffffffff;
const [serial, tiled] = kernelTargets.map(({ target }) => target) as [KernelTarget, KernelTarget];
const inputs = {
  x: random([tokens, dim]),
  up: random([experts, hidden, dim], 2),
  down: random([experts, dim, hidden], 3),
  share: random([2 * tokens], 4),
  dy: random([tokens, dim], 5),
};

type Handles = Record<keyof typeof inputs, Tensor> & { expert: Tensor<"u32"> };

/** Gradients of both weights of two expertLinear in a row. */
const body = ({ x, up, down, share, dy, expert }: Handles) => {
  const groups = groupByExpert(tokenOfAssignment(x, 2), expert, experts);
  const inner = expertLinear(x, up, groups, { gather: true });
  const y = combineExperts(expertLinear(inner, down, groups), share, groups, tokens);
  return gradients(sum(mul(y, dy)), { up, down });
};

const loads: [string, (a: number) => number][] = [
  ["half at the first", (a) => (a % 2 === 0 ? 0 : 1 + (a % 7))],
  ["half at the last", (a) => (a % 2 === 0 ? 7 : a % 7)],
  ["all at one", () => 2],
  ["two of more than a part, two of nothing", (a) => (a % 2 === 0 ? 3 : 1)],
  ["even", (a) => a % 8],
  ["some nowhere, the rest at one", (a) => (a % 4 === 0 ? NONE : 1)],
];

const choices = (expertOf: (a: number) => number) => ({
  shape: [2 * tokens],
  data: Uint32Array.from({ length: 2 * tokens }, (_, a) => expertOf(a)),
});

test.each(loads)("gradients in parts are those of whole sums: %s", async (_, expertOf) => {
  const gpu = await testGpu();
  const given = { ...inputs, expert: choices(expertOf) };
  const whole = await evaluate({ ...gpu, target: serial }, given, body);
  for (const target of gpu.target.matrixUnits ? [tiled, matrixTarget] : [tiled]) {
    const parts = await evaluate({ ...gpu, target }, given, body);
    const again = await evaluate({ ...gpu, target }, given, body);
    for (const name of ["up", "down"] as const) {
      // In shares of the largest element, as elements are sums of thousands; on matrix units of operands rounded to f16.
      const largest = Math.max(...whole[name].map(Math.abs));
      const shares = (gradient: Float32Array) => gradient.map((value) => value / largest);
      expectClose(shares(parts[name]), shares(whole[name]), target === matrixTarget ? 3e-3 : 1e-5);
      expect([...again[name]]).toEqual([...parts[name]]);
    }
  }
});

test("both products of a layer add their parts in one dispatch", async () => {
  const gpu = await testGpu();
  const specs = Object.fromEntries(
    Object.entries(inputs).map(([name, { shape }]) => [name, { shape, dtype: "f32" as const }]),
  );
  const expert = { shape: [2 * tokens], dtype: "u32" as const };
  const dispatches = async (target: KernelTarget) => {
    const program = await compile({ ...gpu, target }, { label: "layer", inputs: { ...specs, expert } }, (_, handles) =>
      body(handles as never),
    );
    program.close();
    return program.stats.dispatches;
  };
  expect((await dispatches(tiled)) - (await dispatches(serial))).toBe(1);
});
