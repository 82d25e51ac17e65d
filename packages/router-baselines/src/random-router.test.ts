import { checkRouter, routerSize } from "@webmoe/router/testing";
import { expect, test } from "vitest";
import { randomRouter } from "./random-router";

test.each([{}, { bias: false, init: "normal" }] as const)("keeps the contract of routers, %o", (options) =>
  checkRouter(randomRouter(options)),
);

test("nothing is learned", () => {
  expect(routerSize(randomRouter())).toEqual({ learned: 0, kept: 45_184 });
  expect(routerSize(randomRouter({ bias: false }))).toEqual({ learned: 0, kept: 45_056 });
});
