import type { Selector } from "@webmoe/router";
import { checkRouter, denseWeights, routerSize } from "@webmoe/router/testing";
import { evaluate } from "@webmoe/tensor";
import { random } from "@webmoe/tensor/testing";
import { testGpu } from "@webmoe/webgpu/testing";
import { expect, test } from "vitest";
import { hashRouter } from "./hash-router";

test("keeps the contract of routers", () => checkRouter(hashRouter()));

test("a number for each layer, token and expert is kept, nothing learned", () => {
  expect(routerSize(hashRouter())).toEqual({ learned: 0, kept: 8 * 205 * 16 });
});

test("a token's id names K different experts, whatever its representation", async () => {
  const router = hashRouter();
  const given = {
    x: random([6, 3], 1),
    table: random([5, 4], 2),
    tokens: { shape: [6], data: Uint32Array.of(1, 4, 1, 0, 4, 2) },
    mask: { shape: [6], data: new Float32Array(6).fill(1) },
  };
  const weights = await evaluate(await testGpu(), given, ({ x, table, tokens, mask }) => {
    const common = { tokens, mask, index: 0, buffers: { layers: [{ table }] }, training: true };
    const { logits } = router.score({ ...common, x, shared: {}, layer: {}, carry: undefined });
    return denseWeights((router.select as Selector)({ ...common, logits, topK: 3 } as never), 4);
  });
  const rows = Array.from({ length: 6 }, (_, t) => [...weights.subarray(t * 4, t * 4 + 4)]);
  for (const row of rows) expect(row.toSorted()).toEqual([0, ...Array(3).fill(Math.fround(1 / 3))]);
  expect(rows[0]).toEqual(rows[2]);
  expect(rows[1]).toEqual(rows[4]);
});
