import { checkRouter, routerSize } from "@webmoe/router/testing";
import { checkGradient, random, valuesOf } from "@webmoe/tensor/testing";
import { expectClose } from "@webmoe/webgpu/testing";
import { expect, test } from "vitest";
import { gelu } from "./gelu";
import { mlpRouter } from "./mlp-router";

test.each([{}, { activation: "relu", init: "torch" }, { bias: false }] as const)(
  "keeps the contract of routers, %o",
  (options) => checkRouter(mlpRouter({ hidden: 7, ...options })),
);

test("parameters of the paper's medium model", () => {
  expect(routerSize(mlpRouter())).toEqual({ learned: 755_840, kept: 0 });
  expect(routerSize(mlpRouter({ bias: false })).learned).toBe(755_840 - 8 * (256 + 16));
});

test("GELU is x times the normal distribution's share below x", async () => {
  const x = { shape: [7], data: Float32Array.of(-6, -2, -0.5, 0, 0.5, 2, 6) };
  // From tables of the normal distribution.
  const below = [9.8659e-10, 0.0227501, 0.3085375, 0.5, 0.6914625, 0.9772499, 1];
  expectClose(
    await valuesOf(gelu, [x]),
    Float32Array.from(below, (share, i) => share * x.data[i]!),
    1e-6,
  );
  await checkGradient(gelu, [random([9])], { low: -3, high: 3 });
});
