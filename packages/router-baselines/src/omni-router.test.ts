import { checkRouter, routerSize } from "@webmoe/router/testing";
import { expect, test } from "vitest";
import { omniRouter } from "./omni-router";

test.each([{}, { bias: true, init: "torch" }] as const)("keeps the contract of routers, %o", (options) =>
  checkRouter(omniRouter(options)),
);

test("one gate for all layers", () => {
  expect(routerSize(omniRouter({ bias: true }))).toEqual({ learned: 352 * 16 + 16, kept: 0 });
});
