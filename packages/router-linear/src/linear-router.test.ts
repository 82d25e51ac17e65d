import { readFileSync } from "node:fs";
import { checkRouter, compareWithReference } from "@webmoe/router/testing";
import { key, leaves, type Spec, sizeOf } from "@webmoe/tensor";
import { describe, expect, test } from "vitest";
import { linearRouter } from "./linear-router";

describe.each([false, true])("bias %s", (bias) => {
  test("keeps the contract of routers", () => checkRouter(linearRouter({ bias })));

  test("parameters of the paper's small model", () => {
    const shape = { dim: 352, experts: 16, layers: 8, topK: 2, vocab: 205 };
    const parameters = leaves<Spec>(linearRouter({ bias }).init(shape, key(0)));
    const count = parameters.reduce((total, [, { shape }]) => total + sizeOf(shape), 0);
    expect(count).toBe(bias ? 45_184 : 45_056);
  });
});

test("PyTorch's initial values are bounded by the fan-in", () => {
  const { layers } = linearRouter({ bias: true, init: "torch" }).init(
    { dim: 16, experts: 4, layers: 1, topK: 1, vocab: 2 },
    key(0),
  );
  expect(layers[0]!.weight).toMatchObject({ distribution: "uniform", scale: 0.25 });
  expect(layers[0]!.bias).toMatchObject({ distribution: "uniform", scale: 0.25 });
});

// From tools/fixtures/make_router_fixtures.py.
test("scores, choice and gradients are PyTorch's", () =>
  compareWithReference(
    linearRouter({ bias: true }),
    readFileSync(new URL("./fixtures/linear.safetensors", import.meta.url)),
  ));
