import { moeLayer } from "@webmoe/moe";
import { checkRouter } from "@webmoe/router/testing";
import { evaluate, gradients, matmul, mul, reshape, sum, swiglu } from "@webmoe/tensor";
import { random } from "@webmoe/tensor/testing";
import { expectClose, testGpu } from "@webmoe/webgpu/testing";
import { expect, test } from "vitest";
import { denseRouter } from "./dense-router";

test("keeps the contract of routers", () => checkRouter(denseRouter()));

test("is one SwiGLU layer of all experts' widths, gradients too", async () => {
  const [tokens, dim, hidden, experts] = [9, 4, 3, 5];
  const given = {
    x: random([tokens, dim], 1),
    gate: random([experts, hidden, dim], 2),
    up: random([experts, hidden, dim], 3),
    down: random([experts, dim, hidden], 4),
    cotangent: random([tokens, dim], 5),
    logits: { shape: [experts], data: new Float32Array(experts) },
    mask: { shape: [tokens], data: new Float32Array(tokens).fill(1) },
  };
  const gpu = await testGpu();
  const actual = await evaluate(gpu, given, ({ x, gate, up, down, cotangent, logits, mask }) => {
    const { y, load } = moeLayer({
      x,
      experts: { gate, up, down },
      config: { experts, topK: 2, hidden },
      router: denseRouter(),
      routerParameters: { shared: {}, layer: {}, buffers: { logits } },
      index: 0,
      carry: undefined,
      tokens: mask as never,
      mask,
      training: true,
    });
    return { y, load, gradients: gradients(sum(mul(y, cotangent)), { x, gate, up, down }) };
  });
  // down [E, D, H] to [D, E H]: element (d, e, h).
  const wide = new Float32Array(given.down.data.length);
  for (let e = 0; e < experts; e++)
    for (let d = 0; d < dim; d++)
      for (let h = 0; h < hidden; h++)
        wide[(d * experts + e) * hidden + h] = given.down.data[(e * dim + d) * hidden + h]!;
  const flat = { ...given, wide: { shape: [dim, experts * hidden], data: wide } };
  const expected = await evaluate(gpu, flat, ({ x, gate, up, wide, cotangent }) => {
    const [g, u] = [gate, up].map((w) => matmul(x, reshape(w, [experts * hidden, dim]), { transposeB: true }));
    const y = matmul(swiglu(g!, u!), wide, { transposeB: true });
    return { y, gradients: gradients(sum(mul(y, cotangent)), { x, gate, up }) };
  });
  expectClose(actual.y, expected.y);
  expect([...actual.load]).toEqual(Array(experts).fill(tokens));
  for (const name of ["x", "gate", "up"] as const) expectClose(actual.gradients[name], expected.gradients[name]);
});
