import { checkRouter, routerSize } from "@webmoe/router/testing";
import { evaluate } from "@webmoe/tensor";
import { expectClose, testGpu } from "@webmoe/webgpu/testing";
import { expect, test } from "vitest";
import { remoeRouter } from "./remoe-router";

test("keeps the contract of routers", () => checkRouter(remoeRouter({ coefficient: 0.1 })));

test("as many parameters as a linear gate, three numbers kept", () => {
  expect(routerSize(remoeRouter())).toEqual({ learned: 45_056, kept: 3 });
});

test.each([
  ["too many are active", 30, 0.012],
  ["too few are active", 20, 0.01 / 1.2],
  ["as many as wanted are active", 24, 0.01],
])("the coefficient answers where %s", async (_, active, expected) => {
  const scalar = (value: number) => ({ shape: [], data: Float32Array.of(value) });
  const given = {
    coefficient: scalar(0.01),
    target: scalar(0.25),
    layers: scalar(2),
    load: { shape: [2, 4], data: Float32Array.of(active, 0, 0, 0, 0, 0, 0, 0) },
  };
  const next = await evaluate(await testGpu(), given, ({ load, ...buffers }) => {
    // 12 tokens of 2 layers with 4 experts: 24 active is a quarter.
    const { coefficient } = remoeRouter().afterStep!({ buffers, load, tokens: 12, shared: {}, layers: [] });
    return { coefficient };
  });
  expectClose(next.coefficient, [expected]);
});
