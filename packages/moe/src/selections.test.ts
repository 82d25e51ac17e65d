// Selectors that give each token another number of experts: the layer against every expert on every token, weighted.

import { defineRouter, matrixSelection, type Selector, shares } from "@webmoe/router";
import {
  broadcastTo,
  columnRanks,
  constant,
  evaluate,
  gradients,
  map,
  matmul,
  mul,
  reshape,
  stopGradient,
  sum,
  swiglu,
  type Tensor,
  tokenOfAssignment,
} from "@webmoe/tensor";
import { type GivenInput, random } from "@webmoe/tensor/testing";
import { expectClose, testGpu } from "@webmoe/webgpu/testing";
import { describe, expect, test } from "vitest";
import { moeLayer } from "./moe-layer";
import { splitGateUp } from "./split-gate-up";

const [T, D, H, E, EACH] = [70, 3, 5, 4, 20];

const inputs: Record<"x" | "gateUp" | "down" | "weight" | "mask" | "cotangent", GivenInput> = {
  x: random([T, D], 1),
  gateUp: random([E, 2, H, D], 2),
  down: random([E, D, H], 4),
  weight: random([E, D], 5),
  mask: { shape: [T], data: Float32Array.from({ length: T }, (_, t) => (t % 9 === 4 ? 0 : 1)) },
  cotangent: random([T, D], 6),
};

/** 0, 1, ... as a tensor [n]. */
const numbers = (n: number, { trace }: Tensor) => tokenOfAssignment(constant(trace, [n], 0), 1);

/** The weight of every expert for every token [T, E], and which of them count. */
type Weigh = (logits: Tensor, mask: Tensor) => { weight: Tensor; chosen: Tensor };

const column = (mask: Tensor) => reshape(mask, [T, 1]);

const ways: Record<string, { weigh: Weigh; atMost?: number }> = {
  "as many experts as have a positive score": {
    weigh: (logits, mask) => {
      const weight = map("relu", [logits, column(mask)], (x, mask) => x.max(0).mul(mask));
      return { weight, chosen: weight };
    },
  },
  "experts that take their best tokens": {
    weigh: (logits, mask) => {
      const weight = map("weight", [logits, column(mask)], (x, mask) => x.sigmoid().mul(mask));
      const chosen = map("chosen", [columnRanks(stopGradient(weight)), column(mask)], (rank, mask) =>
        rank.less(EACH).mul(mask),
      );
      return { weight, chosen };
    },
    atMost: E * EACH,
  },
  "no expert at all": {
    weigh: (logits) => ({ weight: logits, chosen: map("none", [logits], (x) => x.less(-99)) }),
  },
};

describe.each(Object.entries(ways))("%s", (_, { weigh, atMost }) => {
  test("is what every expert on every token gives", async () => {
    const select: Selector = ({ logits, mask }) => {
      const { weight, chosen } = weigh(logits, mask);
      return matrixSelection({ weight, chosen, probabilities: shares(weight, column(mask)), atMost });
    };
    const router = defineRouter({
      name: "matrix",
      init: () => ({ shared: {}, layers: [] as { weight: never }[] }),
      score: ({ x, layer }) => ({ logits: matmul(x, layer.weight as Tensor, { transposeB: true }) }),
      select,
    });
    const gpu = await testGpu();
    const actual = await evaluate(gpu, inputs, (tensors) => {
      const { x, gateUp, down, weight, mask, cotangent } = tensors;
      const { y, load } = moeLayer({
        x,
        experts: { gateUp, down },
        config: { experts: E, topK: 2, hidden: H },
        router,
        routerParameters: { shared: {}, layer: { weight } },
        index: 0,
        carry: undefined,
        tokens: mask as never,
        mask,
        training: true,
      });
      return { y, load, gradients: gradients(sum(mul(y, cotangent)), { x, gateUp, down, weight }) };
    });
    const expected = await evaluate(gpu, inputs, (tensors) => {
      const { x, gateUp, down, weight, mask, cotangent } = tensors;
      const weighed = weigh(matmul(x, weight, { transposeB: true }), mask);
      const kept = map("kept", [weighed.weight, weighed.chosen], (weight, chosen) => chosen.select(weight, 0)); // [T, E]
      const all = broadcastTo(x, [E, T, D]);
      const [gate, up] = splitGateUp(gateUp);
      const inner = swiglu(matmul(all, gate, { transposeB: true }), matmul(all, up, { transposeB: true }));
      const outputs = matmul(inner, down, { transposeB: true }); // [E, T, D]
      // [E, T] without a transpose: a product with the unit matrix.
      const unit = map("unit", [reshape(numbers(E, x), [E, 1]), numbers(E, x)], (a, b) => a.sub(b).abs().less(0.5));
      const byExpert = matmul(unit, kept, { transposeB: true });
      const y = reshape(sum(mul(outputs, reshape(byExpert, [E, T, 1])), 0, 1), [T, D]);
      const load = sum(
        map("counted", [weighed.chosen], (chosen) => chosen.select(1, 0)),
        0,
        1,
      );
      return { y, load, gradients: gradients(sum(mul(y, cotangent)), { x, gateUp, down, weight }) };
    });
    expectClose(actual.y, expected.y);
    expect([...actual.load]).toEqual([...expected.load]);
    for (const name of ["x", "gateUp", "down", "weight"] as const) {
      expectClose(actual.gradients[name], expected.gradients[name]);
    }
  });
});
