import { checkRouter, routerSize } from "@webmoe/router/testing";
import { evaluate } from "@webmoe/tensor";
import { random } from "@webmoe/tensor/testing";
import { expectClose, testGpu } from "@webmoe/webgpu/testing";
import { expect, test } from "vitest";
import { couple, flowRouter, uncouple } from "./flow-router";

test.each([
  { dim: 4, flows: 2 },
  { dim: 6, flows: 1, init: "torch" },
] as const)("keeps the contract of routers, %o", (options) =>
  // One flow needs no switch.
  checkRouter(flowRouter(options), { idle: options.flows === 1 ? [0, 1, 2].map((l) => `layers.${l}.switch`) : [] }),
);

test("parameters in the paper's medium model", () => {
  const layer = 352 * 32 + 4 * 352 + 4 * 4 * (16 * 16 + 16) + 32 * 16 + 16;
  expect(routerSize(flowRouter())).toEqual({ learned: 8 * layer, kept: 0 });
});

test("a flow can be inverted", async () => {
  const [flows, rows, half] = [3, 5, 2];
  const given = {
    from: random([flows, rows, half], 1),
    to: random([flows, rows, half], 2),
    scale: random([flows, half, half], 3),
    scaleBias: random([flows, 1, half], 4),
    shift: random([flows, half, half], 5),
    shiftBias: random([flows, 1, half], 6),
  };
  const { moved, back } = await evaluate(await testGpu(), given, ({ from, to, ...coupling }) => {
    const moved = couple(from, to, coupling);
    return { moved, back: uncouple(from, moved, coupling) };
  });
  expectClose(back, given.to.data);
  expect(moved.some((value, i) => Math.abs(value - given.to.data[i]!) > 0.1)).toBe(true);
});

test("an odd width has no halves", () => {
  expect(() => flowRouter({ dim: 5 })).toThrow("flowRouter: needs an even dim to cut in halves, got 5");
});
