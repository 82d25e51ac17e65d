import {
  add,
  addRmsNorm,
  compile,
  constant,
  f32,
  gradients,
  mul,
  scale,
  sum,
  type Tensor,
  tokenOfAssignment,
} from "@webmoe/tensor";
import { random, relativeError } from "@webmoe/tensor/testing";
import { openGpu } from "@webmoe/webgpu/node";
import { expect, test } from "vitest";
import { biasedRouter as router } from "./biased-router";
import { moeLayer } from "./moe-layer";

test("kernels that a layer's neighbours share say what they say apart", async () => {
  const gpu = await openGpu({ adapter: process.env.WEBMOE_TEST_ADAPTER, kernelClass: "tiled" });
  const [tokens, dim, hidden, experts] = [70, 8, 4, 5];
  const data = {
    x: random([tokens, dim], 1),
    gateUp: random([experts, 2, hidden, dim], 2),
    down: random([experts, dim, hidden], 4),
    weight: random([experts, dim], 5),
    bias: random([experts], 8),
    norm: random([dim], 7),
    cotangent: random([tokens, dim], 6),
  };
  const inputs = Object.fromEntries(Object.entries(data).map(([name, { shape }]) => [name, f32(...shape)]));
  const values = Object.fromEntries(Object.entries(data).map(([name, { data }]) => [name, data]));
  // Without matrix units nothing is rounded, so that precision changes which kernels run and not what they say.
  const target = { ...gpu.target, matrixUnits: false };
  const outputsIn = async (precision: "f32" | "mixed") => {
    const program = await compile({ ...gpu, target }, { label: "layer", inputs, precision }, (_, tensors) => {
      const { x, gateUp, down, weight, bias, norm, cotangent } = tensors as Record<string, Tensor>;
      const { y, balanceLoss, load } = moeLayer({
        x: x!,
        experts: { gateUp, down: down! },
        config: { experts, topK: 2, hidden },
        router,
        routerParameters: { shared: {}, layer: { weight, bias } },
        index: 0,
        carry: undefined,
        tokens: tokenOfAssignment(x!, 1),
        mask: constant(x!.trace, [tokens], 1),
        training: true,
      });
      const normalized = addRmsNorm(x!, y, norm!).normalized;
      const loss = add(sum(mul(normalized, cotangent!)), scale(balanceLoss, 0.7));
      return { normalized, balanceLoss, load, gradients: gradients(loss, { x, gateUp, down, weight, bias, norm }) };
    });
    const { outputs } = await program.run(values);
    const { dispatches } = program.stats;
    return { dispatches, ...(await outputs) };
  };
  const [apart, shared] = [await outputsIn("f32"), await outputsIn("mixed")];
  expect(shared.dispatches).toBe(apart.dispatches - 4);
  expect(shared.load).toEqual(apart.load);
  expect(relativeError(shared.normalized, apart.normalized)).toBeLessThan(1e-6);
  expect(relativeError(shared.balanceLoss, apart.balanceLoss)).toBeLessThan(1e-6);
  for (const [name, gradient] of Object.entries(shared.gradients)) {
    const expected = apart.gradients[name as keyof typeof apart.gradients] as Float32Array;
    expect(relativeError(gradient as Float32Array, expected), name).toBeLessThan(2e-6);
  }
  gpu.close();
});
