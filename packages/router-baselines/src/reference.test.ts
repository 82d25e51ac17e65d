import { readFileSync } from "node:fs";
import type { AnyRouter } from "@webmoe/router";
import { compareWithReference } from "@webmoe/router/testing";
import { test } from "vitest";
import * as routers from ".";

// From tools/fixtures/make_router_fixtures.py.
test.each<[string, AnyRouter]>([
  ["mlp", routers.mlpRouter({ hidden: 5 })],
  ["mlp-relu", routers.mlpRouter({ hidden: 5, activation: "relu" })],
  ["hyper", routers.hyperRouter({ hidden: 5 })],
  ["random", routers.randomRouter()],
  ["hash", routers.hashRouter()],
  ["sigmoid", routers.sigmoidRouter({ bias: true })],
  ["loss-free", routers.lossFreeRouter()],
  ["loss-free-softmax", routers.lossFreeRouter({ scores: "softmax" })],
  ["stable-1", routers.stableRouter({ switchAt: 10, dim: 5 })],
  ["stable-2", routers.stableRouter({ switchAt: 10, dim: 5 })],
  ["remoe", routers.remoeRouter()],
  ["omni", routers.omniRouter({ bias: true })],
  ["expert-choice", routers.expertChoiceRouter({ bias: true })],
  ["flow", routers.flowRouter({ dim: 6, flows: 2 })],
  ["dense", routers.denseRouter()],
])("scores, choice, losses and gradients are PyTorch's: %s", async (name, router) => {
  await compareWithReference(router, readFileSync(new URL(`./fixtures/${name}.safetensors`, import.meta.url)));
});
