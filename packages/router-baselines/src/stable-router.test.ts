import { checkRouter, denseWeights, routerSize } from "@webmoe/router/testing";
import { evaluate, key, leaves, mapTree, type Tensor } from "@webmoe/tensor";
import { random } from "@webmoe/tensor/testing";
import { testGpu } from "@webmoe/webgpu/testing";
import { expect, test } from "vitest";
import { stableRouter } from "./stable-router";

test("keeps the contract of routers", () => checkRouter(stableRouter({ dim: 3 })));

test("parameters: a gate a layer, the distilled gates and one table of words; the frozen copy is kept", () => {
  const distilled = 8 * 16 * 50 + 205 * 50;
  expect(routerSize(stableRouter())).toEqual({ learned: 8 * 16 * 352 + distilled, kept: distilled + 1 });
});

test("the first stage needs a step", () => {
  expect(() => stableRouter({ switchAt: 0 })).toThrow("stableRouter: switchAt needs at least one step, got 0");
});

/** Buffers after a step of the given number, and the weights of the step after it. */
async function stepAfter(steps: number) {
  const router = stableRouter({ dim: 3, switchAt: 4 });
  const shape = { dim: 5, experts: 4, layers: 2, topK: 1, vocab: 7 };
  const { shared, layers, buffers } = router.init(shape, key(0));
  const trees = { shared, layers, buffers };
  const values = Object.fromEntries(
    leaves<{ shape: number[] } & never>(trees).map(([path, { shape }], index) => [path, random(shape, index + 1)]),
  );
  values["buffers.step"] = { shape: [], data: Float32Array.of(steps) };
  const given = {
    ...values,
    logits: random([6, 4], 90),
    mask: { shape: [6], data: new Float32Array(6).fill(1) },
  };
  const tokens = { shape: [6], data: Uint32Array.of(1, 4, 1, 0, 4, 2) };
  const result = await evaluate(await testGpu(), { ...given, tokens }, ({ tokens, ...handles }) => {
    const at = mapTree(trees, (_, path) => (handles as Record<string, Tensor>)[path]!);
    const next = router.afterStep!({ ...at, buffers: at.buffers!, load: handles.logits, tokens: 6 });
    const { logits, mask } = handles;
    const select = { logits, mask, topK: 1, tokens, index: 1, buffers: next, training: true };
    return { next, weights: denseWeights(router.select!(select), 4) };
  });
  return { given: given as Record<string, { data: Float32Array }>, ...result };
}

test("the distilled router is copied at the end of the first stage, and only then", async () => {
  const [early, last, late] = [await stepAfter(1), await stepAfter(3), await stepAfter(6)];
  expect([early.next.step[0], last.next.step[0], late.next.step[0]]).toEqual([2, 4, 7]);
  for (const { given, next } of [early, late]) expect(next.words).toEqual(given["buffers.words"]!.data);
  expect(last.next.words).toEqual(last.given["shared.words"]!.data);
  expect(last.next.layers[1]!.distilled).toEqual(last.given["layers.1.distilled"]!.data);
});

test("in the second stage the token's id decides, and the learned score still weighs", async () => {
  const { weights, given } = await stepAfter(6);
  const chosen = Array.from({ length: 6 }, (_, t) => [...weights.subarray(t * 4, t * 4 + 4)].findIndex((w) => w > 0));
  expect(chosen[0]).toBe(chosen[2]);
  expect(chosen[1]).toBe(chosen[4]);
  const score = given.logits!.data[chosen[5]! + 20]!;
  expect(weights[20 + chosen[5]!]).toBeCloseTo(1 / (1 + Math.exp(-score)), 5);
  const first = (await stepAfter(1)).weights;
  const best = Array.from({ length: 6 }, (_, t) => {
    const row = [...given.logits!.data.subarray(t * 4, t * 4 + 4)];
    return row.indexOf(Math.max(...row));
  });
  best.forEach((expert, t) => {
    expect(first[t * 4 + expert]).toBeGreaterThan(0);
  });
});
