import { checkRouter, routerSize } from "@webmoe/router/testing";
import { evaluate, gradients, sum } from "@webmoe/tensor";
import { random } from "@webmoe/tensor/testing";
import { expectClose, testGpu } from "@webmoe/webgpu/testing";
import { expect, test } from "vitest";
import { lossFreeRouter } from "./loss-free-router";

test.each([{}, { scores: "softmax" }] as const)("keeps the contract of routers, %o", (options) =>
  checkRouter(lossFreeRouter(options)),
);

test("one bias for each expert of each layer is kept", () => {
  expect(routerSize(lossFreeRouter())).toEqual({ learned: 45_056, kept: 8 * 16 });
});

test("after a step the bias rises for experts below the mean load and falls above it", async () => {
  const given = {
    bias: { shape: [2, 4], data: Float32Array.of(0, 0.5, 0, -0.25, 0, 0, 0, 0) },
    load: { shape: [2, 4], data: Float32Array.of(10, 2, 4, 8, 6, 6, 6, 6) },
  };
  const next = await evaluate(await testGpu(), given, ({ bias, load }) =>
    lossFreeRouter({ rate: 0.125 }).afterStep!({ buffers: { bias }, load, tokens: 12, shared: {}, layers: [] }),
  );
  expectClose(next.bias, [-0.125, 0.625, 0.125, -0.375, 0, 0, 0, 0]);
});

test("the bias moves the choice and not the weights, and no balance gradient flows", async () => {
  const given = {
    logits: random([5, 4], 3),
    bias: { shape: [2, 4], data: Float32Array.of(0, 0, 0, 0, 0, 9, 0, 0) },
    mask: { shape: [5], data: new Float32Array(5).fill(1) },
  };
  const { expert, weight } = await evaluate(await testGpu(), given, ({ logits, bias, mask }) => {
    const input = { logits, mask, topK: 1, tokens: mask as never, index: 1, buffers: { bias }, training: true };
    const { expert, weight, probabilities } = lossFreeRouter().select!(input);
    expect(() => gradients(sum(probabilities), logits)).toThrow("the loss does not depend on");
    return { expert, weight };
  });
  expect([...expert]).toEqual([1, 1, 1, 1, 1]);
  const expected = Float32Array.from({ length: 5 }, (_, t) => 1 / (1 + Math.exp(-given.logits.data[t * 4 + 1]!)));
  expectClose(weight, expected);
});
