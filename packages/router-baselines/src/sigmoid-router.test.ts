import { checkRouter, routerSize } from "@webmoe/router/testing";
import { expect, test } from "vitest";
import { sigmoidRouter } from "./sigmoid-router";

test.each([{}, { bias: true, init: "torch", renormalize: false }] as const)(
  "keeps the contract of routers, %o",
  (options) => checkRouter(sigmoidRouter(options)),
);

test("as many parameters as a linear gate", () => {
  expect(routerSize(sigmoidRouter({ bias: true }))).toEqual({ learned: 45_184, kept: 0 });
});
