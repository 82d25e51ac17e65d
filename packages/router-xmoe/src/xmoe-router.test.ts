import { readFileSync } from "node:fs";
import { checkRouter, compareWithReference } from "@webmoe/router/testing";
import { evaluate, key, leaves, type Spec, sizeOf, tokenOfAssignment } from "@webmoe/tensor";
import { random } from "@webmoe/tensor/testing";
import { expectClose, testGpu } from "@webmoe/webgpu/testing";
import { expect, test } from "vitest";
import { xmoeRouter } from "./xmoe-router";

test.each([true, false])("keeps the contract of routers, learned temperature %s", (learnTemperature) =>
  checkRouter(xmoeRouter({ dim: 3, learnTemperature })),
);

// From tools/fixtures/make_router_fixtures.py.
test("scores, choice and gradients are PyTorch's", () =>
  compareWithReference(xmoeRouter({ dim: 3 }), readFileSync(new URL("./fixtures/xmoe.safetensors", import.meta.url))));

test("parameters of the paper's small model", () => {
  const shape = { dim: 352, experts: 16, layers: 8, topK: 2, vocab: 205 };
  const parameters = leaves<Spec>(xmoeRouter().init(shape, key(0)));
  expect(parameters.reduce((total, [, { shape }]) => total + sizeOf(shape), 0)).toBe(8 * (352 * 16 + 16 * 16 + 1));
});

test("logits are cosines over the temperature, whatever the lengths", async () => {
  const [tokens, dim, width, experts] = [4, 5, 3, 6];
  const [x, projection, rows] = [random([tokens, dim]), random([width, dim], 2), random([experts, width], 3)];
  const temperature = { shape: [], data: Float32Array.of(0.25) };
  const mask = { shape: [tokens], data: new Float32Array(tokens).fill(1) };
  const logits = await evaluate(await testGpu(), { x, projection, rows, temperature, mask }, (given) => {
    const { x, projection, rows, temperature, mask } = given;
    return xmoeRouter({ dim: width }).score({
      x,
      shared: {},
      layer: { projection, experts: rows, temperature },
      index: 0,
      carry: undefined,
      tokens: tokenOfAssignment(x, 1),
      mask,
      training: false,
    }).logits;
  });
  const expected = Array.from({ length: tokens * experts }, (_, i) => {
    const [t, e] = [Math.floor(i / experts), i % experts];
    const token = Array.from({ length: width }, (_, w) =>
      x.data
        .subarray(t * dim, (t + 1) * dim)
        .reduce((total, value, d) => total + value * projection.data[w * dim + d]!, 0),
    );
    const expert = rows.data.subarray(e * width, (e + 1) * width);
    const dot = token.reduce((total, value, w) => total + value * expert[w]!, 0);
    return dot / Math.hypot(...token) / Math.hypot(...expert) / 0.25;
  });
  expectClose(logits, expected);
});
