import { checkRouter, routerSize } from "@webmoe/router/testing";
import { expect, test } from "vitest";
import { hyperRouter } from "./hyper-router";

test("keeps the contract of routers", () => checkRouter(hyperRouter({ hidden: 6 })));

test("only the embeddings are learned in the paper's medium model", () => {
  expect(routerSize(hyperRouter())).toEqual({ learned: 2_816, kept: 12_335_232 });
});
