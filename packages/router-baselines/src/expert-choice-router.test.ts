import { checkRouter, denseWeights, routerSize } from "@webmoe/router/testing";
import { evaluate, softmax } from "@webmoe/tensor";
import { random } from "@webmoe/tensor/testing";
import { expectClose, testGpu } from "@webmoe/webgpu/testing";
import { expect, test } from "vitest";
import { expertChoiceRouter } from "./expert-choice-router";

test.each([{}, { bias: true, capacity: 2 }] as const)("keeps the contract of routers, %o", (options) =>
  checkRouter(expertChoiceRouter(options)),
);

test("as many parameters as a linear gate", () => {
  expect(routerSize(expertChoiceRouter({ bias: true }))).toEqual({ learned: 45_184, kept: 0 });
});

test("every expert takes its C best tokens with their probabilities", async () => {
  const [tokens, experts, topK] = [10, 4, 2];
  const logits = random([tokens, experts], 1);
  const mask = { shape: [tokens], data: new Float32Array(tokens).fill(1) };
  const gpu = await testGpu();
  const { weights, p } = await evaluate(gpu, { logits, mask }, ({ logits, mask }) => {
    const input = { logits, mask, topK, tokens: mask as never, index: 0, training: true };
    return { weights: denseWeights(expertChoiceRouter().select!(input), experts), p: softmax(logits) };
  });
  const expected = new Float32Array(tokens * experts);
  for (let e = 0; e < experts; e++) {
    const order = Array.from({ length: tokens }, (_, t) => t).sort((a, b) => p[b * experts + e]! - p[a * experts + e]!);
    for (const t of order.slice(0, (tokens * topK) / experts)) expected[t * experts + e] = p[t * experts + e]!;
  }
  expectClose(weights, expected);
});
