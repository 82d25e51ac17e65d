import { readFileSync } from "node:fs";
import { checkRouter } from "@webmoe/router/testing";
import { evaluate, gradients, key, leaves, mul, parseSafetensors, type Spec, sizeOf, sum } from "@webmoe/tensor";
import { type GivenInput, relativeError } from "@webmoe/tensor/testing";
import { testGpu } from "@webmoe/webgpu/testing";
import { expect, test } from "vitest";
import { gruCell, recurrentRouter } from "./recurrent-router";

test.each([
  { bias: false, init: "normal" },
  { bias: true, init: "torch" },
] as const)("keeps the contract of routers, %o", (options) => checkRouter(recurrentRouter({ dim: 3, ...options })));

test("parameters of the paper's small model", () => {
  const shape = { dim: 352, experts: 16, layers: 8, topK: 2, vocab: 205 };
  const count = (bias: boolean) =>
    leaves<Spec>(recurrentRouter({ bias }).init(shape, key(0))).reduce(
      (total, [, { shape }]) => total + sizeOf(shape),
      0,
    );
  expect(count(true)).toBe(477_056);
  expect(count(false)).toBe(477_056 - 8 * (128 + 16));
});

// From tools/fixtures/make_fixtures.py.
test("the cell and its gradients are those of torch.nn.GRUCell", async () => {
  const fixture = parseSafetensors(readFileSync(new URL("./fixtures/gru-cell.safetensors", import.meta.url)));
  const given = (name: string): GivenInput => {
    const { shape, values } = fixture.get(name)!;
    return { shape, data: Float32Array.from(values) };
  };
  const inputs = {
    x: given("x"),
    h: given("h"),
    dy: given("dy"),
    weight_ih: given("weight_ih"),
    weight_hh: given("weight_hh"),
    bias_ih: given("bias_ih"),
    bias_hh: given("bias_hh"),
  };
  const { y, ...derived } = await evaluate(await testGpu(), inputs, ({ x, h, dy, ...weights }) => {
    const y = gruCell(x, h, {
      inputWeight: weights.weight_ih,
      hiddenWeight: weights.weight_hh,
      inputBias: weights.bias_ih,
      hiddenBias: weights.bias_hh,
    });
    return { y, ...gradients(sum(mul(y, dy)), { x, h, ...weights }) };
  });
  expect(relativeError(y, fixture.get("y")!.values)).toBeLessThan(1e-5);
  for (const [name, gradient] of Object.entries(derived)) {
    expect(relativeError(gradient, fixture.get(`d${name}`)!.values), `d${name}`).toBeLessThan(1e-4);
  }
});
