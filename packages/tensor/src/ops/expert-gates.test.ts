import { planningGpu } from "@webmoe/webgpu";
import { checkShaders, matrixTarget, testGpu } from "@webmoe/webgpu/testing";
import { expect, test } from "vitest";
import { compile } from "../compile";
import { gradients } from "../gradients";
import { f32, type Tensor, u32 } from "../tensor";
import { random, relativeError } from "../testing";
import { mul } from "./elementwise";
import { combineExperts, expertLinear, groupByExpert, tokenOfAssignment } from "./experts";
import { gated } from "./gated";
import { sum } from "./reduce";

// So many multiplications that both products of a layer round their operands.
const [tokens, experts, dim] = [128, 8, 768];
const NONE = 0xffffffff;
const shapes = (hidden: number) => ({
  x: [tokens, dim],
  first: [experts, 2 * hidden, dim],
  second: [experts, dim, hidden],
  share: [2 * tokens],
  dy: [tokens, dim],
});
const expert = Uint32Array.from({ length: 2 * tokens }, (_, a) => (a % 9 === 8 ? NONE : (a * 5) % 7));

type Handles = Record<keyof ReturnType<typeof shapes>, Tensor> & { expert: Tensor<"u32"> };

/** Gated experts whose middle is computed with `activation`: what they give, and gradients of everything. */
const layer =
  (activation: "silu" | "gelu" | "relu", extra?: "gate" | "gradient") =>
  ({ x, first, second, share, dy, expert }: Handles) => {
    const groups = groupByExpert(tokenOfAssignment(x, 2), expert, experts);
    const rows = expertLinear(x, first, groups, { gather: true });
    const units = gated(rows, activation);
    const y = combineExperts(expertLinear(units, second, groups), share, groups, tokens);
    const loss = sum(mul(y, dy));
    const made = { y, ...gradients(loss, { x, first, second, share, ...(extra === "gradient" && { units }) }) };
    return extra === "gate" ? { ...made, rows } : made;
  };

/** Names of the gates' kernels in a plan for matrix units. */
async function gatesOf(hidden: number, body: (handles: Handles) => Record<string, Tensor>) {
  const gpu = planningGpu({ ...(await testGpu()), target: matrixTarget });
  const inputs = Object.fromEntries(Object.entries(shapes(hidden)).map(([name, shape]) => [name, f32(...shape)]));
  const given = { ...inputs, expert: u32(2 * tokens) };
  await compile(gpu, { inputs: given, precision: "mixed", label: "layer" }, (_, handles) => body(handles as Handles));
  const kernels = gpu.planning!.get("layer")!;
  await checkShaders(kernels);
  return kernels.map(({ name }) => name).filter((name) => /gate/i.test(name));
}

test("on matrix units products of experts compute the gate and its gradient", async () => {
  for (const activation of ["silu", "gelu", "relu"] as const) {
    expect(await gatesOf(320, layer(activation))).toEqual(["expertGateForward", "expertGateBackward"]);
  }
});

test("kernels of their own do where tiles would cut a pair of columns apart", async () => {
  expect(await gatesOf(328, layer("silu"))).toEqual(["gatedForward", "gatedBackward"]);
});

test("and where something else needs what the product gives", async () => {
  expect(await gatesOf(320, layer("silu", "gate"))).toEqual(["gatedForward", "gatedBackward"]);
  expect(await gatesOf(320, layer("silu", "gradient"))).toEqual(["expertGateForward", "gatedBackward"]);
});

test.each(["silu", "gelu"] as const)("%s in mixed precision is near what it is in f32", async (activation) => {
  const gpu = await testGpu();
  const inputs = Object.fromEntries(
    Object.entries(shapes(320)).map(([name, shape], i) => [name, random(shape, i + 1)]),
  );
  const specs = Object.fromEntries(Object.entries(inputs).map(([name, { shape }]) => [name, f32(...shape)]));
  const data = Object.fromEntries(Object.entries(inputs).map(([name, { data }]) => [name, data]));
  const valuesIn = async (precision: "f32" | "mixed") => {
    const given = { inputs: { ...specs, expert: u32(2 * tokens) }, precision, label: "layer" };
    const program = await compile(gpu, given, (_, handles) => layer(activation)(handles as Handles));
    const values = (await (await program.run({ ...data, expert })).outputs) as Record<string, Float32Array>;
    program.close();
    return values;
  };
  const exact = await valuesIn("f32");
  for (const [name, values] of Object.entries(await valuesIn("mixed"))) {
    expect(relativeError(values, exact[name]!), name).toBeLessThan(3e-3);
  }
});
