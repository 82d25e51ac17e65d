import { moeLayer } from "@webmoe/moe";
import { checkRouter } from "@webmoe/router/testing";
import { evaluate, gradients, matmul, mul, sum, swiglu } from "@webmoe/tensor";
import { random } from "@webmoe/tensor/testing";
import { expectClose, testGpu } from "@webmoe/webgpu/testing";
import { expect, test } from "vitest";
import { denseRouter } from "./dense-router";

test("keeps the contract of routers", () => checkRouter(denseRouter()));

test("is one SwiGLU layer of all experts' widths, gradients too", async () => {
  const [tokens, dim, hidden, experts] = [9, 4, 3, 5];
  const given = {
    x: random([tokens, dim], 1),
    gateUp: random([experts, 2, hidden, dim], 2),
    down: random([experts, dim, hidden], 4),
    cotangent: random([tokens, dim], 5),
    logits: { shape: [experts], data: new Float32Array(experts) },
    mask: { shape: [tokens], data: new Float32Array(tokens).fill(1) },
  };
  const gpu = await testGpu();
  const actual = await evaluate(gpu, given, ({ x, gateUp, down, cotangent, logits, mask }) => {
    const { y, load } = moeLayer({
      x,
      experts: { gateUp, down },
      config: { experts, topK: 2, hidden },
      router: denseRouter(),
      routerParameters: { shared: {}, layer: {}, buffers: { logits } },
      index: 0,
      carry: undefined,
      tokens: mask as never,
      mask,
      training: true,
    });
    return { y, load, gradients: gradients(sum(mul(y, cotangent)), { x, gateUp, down }) };
  });
  // down [E, D, H] to [D, E H]: element (d, e, h).
  const wide = new Float32Array(given.down.data.length);
  for (let e = 0; e < experts; e++)
    for (let d = 0; d < dim; d++)
      for (let h = 0; h < hidden; h++)
        wide[(d * experts + e) * hidden + h] = given.down.data[(e * dim + d) * hidden + h]!;
  /** Gate (0) or up (1) of all experts side by side. */
  const half = (gateUp: Float32Array, which: number) =>
    gateUp.filter((_, i) => Math.floor(i / (hidden * dim)) % 2 === which);
  const sideBySide = (which: number) => ({ shape: [experts * hidden, dim], data: half(given.gateUp.data, which) });
  const { gateUp: _, ...same } = given;
  const flat = {
    ...same,
    gate: sideBySide(0),
    up: sideBySide(1),
    wide: { shape: [dim, experts * hidden], data: wide },
  };
  const expected = await evaluate(gpu, flat, ({ x, gate, up, wide, cotangent }) => {
    const [g, u] = [gate, up].map((w) => matmul(x, w, { transposeB: true }));
    const y = matmul(swiglu(g!, u!), wide, { transposeB: true });
    return { y, gradients: gradients(sum(mul(y, cotangent)), { x, gate, up }) };
  });
  expectClose(actual.y, expected.y);
  expect([...actual.load]).toEqual(Array(experts).fill(tokens));
  expectClose(actual.gradients.x, expected.gradients.x);
  expectClose(half(actual.gradients.gateUp, 0), expected.gradients.gate);
  expectClose(half(actual.gradients.gateUp, 1), expected.gradients.up);
});
