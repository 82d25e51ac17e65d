import { readFileSync } from "node:fs";
import { checkRouter, compareWithReference } from "@webmoe/router/testing";
import { key, leaves, type Spec, sizeOf } from "@webmoe/tensor";
import { expect, test } from "vitest";
import { cosineRouter } from "./cosine-router";

test.each([true, false])("keeps the contract of routers, learned temperature %s", (learnTemperature) =>
  checkRouter(cosineRouter({ learnTemperature })),
);

test("parameters of the paper's medium model: one vector an expert, one temperature a layer", () => {
  const shape = { dim: 352, experts: 16, layers: 8, topK: 2, vocab: 205 };
  const parameters = leaves<Spec>(cosineRouter().init(shape, key(0)));
  expect(parameters.reduce((total, [, { shape }]) => total + sizeOf(shape), 0)).toBe(8 * (16 * 352 + 1));
});

// From tools/fixtures/make_router_fixtures.py.
test("scores, choice and gradients are PyTorch's", () =>
  compareWithReference(cosineRouter(), readFileSync(new URL("./fixtures/cosine.safetensors", import.meta.url))));
