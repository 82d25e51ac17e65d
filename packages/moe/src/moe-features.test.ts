// What a MoE layer may do besides: capacity, shared experts, other experts, jitter, even routing, the balance of a whole step.
// Letters of shapes: T tokens, D width, H inner width, E experts, K experts a token.

import {
  add,
  evaluate,
  gradients,
  map,
  matmul,
  mul,
  reshape,
  scale,
  softmax,
  sum,
  swiglu,
  type Tensor,
  tokenOfAssignment,
} from "@webmoe/tensor";
import { type GivenInput, random } from "@webmoe/tensor/testing";
import { expectClose, testGpu } from "@webmoe/webgpu/testing";
import { describe, expect, test } from "vitest";
import { biasedRouter as router } from "./biased-router";
import type { MoeConfig } from "./config";
import type { MoeInput } from "./moe-input";
import { moeLayer } from "./moe-layer";
import { splitGateUp } from "./split-gate-up";

const [T, D, H, E] = [13, 4, 3, 4];
const base: MoeConfig = { experts: E, topK: 2, hidden: H };

const given = {
  x: random([T, D], 1),
  gateUp: random([E, 2, H, D], 2),
  up: random([E, H, D], 3),
  down: random([E, D, H], 4),
  weight: random([E, D], 5),
  bias: { shape: [E], data: new Float32Array(E) } as GivenInput,
  mask: { shape: [T], data: new Float32Array(T).fill(1) } as GivenInput,
  cotangent: random([T, D], 6),
};
type Given = typeof given;
type Tensors = Record<keyof Given, Tensor>;

/** A bias that sends every token to expert 1 first. */
const crowded = { shape: [E], data: Float32Array.of(0, 20, 0, 0) };

const layerInput = (t: Tensors, config: MoeConfig): MoeInput => ({
  x: t.x,
  experts: { gateUp: t.gateUp, down: t.down },
  config,
  router,
  routerParameters: { shared: {}, layer: { weight: t.weight, bias: t.bias } },
  index: 0,
  carry: undefined,
  tokens: tokenOfAssignment(t.x, 1),
  mask: t.mask,
  training: true,
});

/** Output, counts, losses, and gradients of sum(y * cotangent) + 0.7 balance. */
async function run(config: Partial<MoeConfig>, inputs: Partial<Given> = {}, more: Partial<MoeInput> = {}) {
  return evaluate(await testGpu(), { ...given, ...inputs }, (t) => {
    const { y, load, dropped, balanceLoss } = moeLayer({ ...layerInput(t, { ...base, ...config }), ...more });
    const { x, gateUp, down, weight } = t;
    const loss = add(sum(mul(y, t.cotangent)), scale(balanceLoss, 0.7));
    return { y, load, dropped, balanceLoss, gradients: gradients(loss, { x, gateUp, down, weight }) };
  });
}

const rowOf = (y: Float32Array, t: number) => [...y.subarray(t * D, t * D + D)];
const nothing = Array(D).fill(0);

describe("capacity", () => {
  test.each(["last", "lowest"] as const)("room for every token is the dropless layer, %s", async (drop) => {
    const [dropless, roomy] = [await run({}), await run({ capacity: E / 2, drop })];
    expect(dropless.dropped).toBeUndefined();
    expect([...roomy.dropped!]).toEqual(Array(E).fill(0));
    expect([...roomy.load]).toEqual([...dropless.load]);
    for (const name of ["x", "gateUp", "down", "weight"] as const) {
      expectClose(roomy.gradients[name], dropless.gradients[name], 1e-6);
    }
    expectClose(roomy.y, dropless.y, 1e-6);
    expectClose(roomy.balanceLoss, dropless.balanceLoss, 1e-6);
  });

  test("what comes last gives zero, and padding takes no room", async () => {
    const mask = { shape: [T], data: Float32Array.from({ length: T }, (_, t) => (t === 1 ? 0 : 1)) };
    const config = { topK: 1, capacity: 1 }; // room for ceil(13 / 4) = 4
    const { y, load, dropped, gradients } = await run(config, { bias: crowded, mask });
    const free = await run({ topK: 1 }, { bias: crowded, mask });
    const kept = [0, 2, 3, 4];
    for (let t = 0; t < T; t++) expect(rowOf(y, t)).toEqual(kept.includes(t) ? rowOf(free.y, t) : nothing);
    expect([...load]).toEqual([0, 12, 0, 0]);
    expect([...dropped!]).toEqual([0, 8, 0, 0]);
    expect(gradients.gateUp.every(Number.isFinite)).toBe(true);
  });

  test("or what weighs least", async () => {
    const config = { topK: 1, capacity: 1, drop: "lowest" as const };
    const mild = { shape: [E], data: Float32Array.of(0, 4, 0, 0) };
    const { y, dropped } = await run(config, { bias: mild });
    const free = await run({ topK: 1 }, { bias: mild });
    const shares = await evaluate(await testGpu(), { ...given, bias: mild }, (t) =>
      softmax(add(matmul(t.x, t.weight, { transposeB: true }), t.bias)),
    );
    const chosen = Array.from({ length: T }, (_, t) => shares.subarray(t * E, t * E + E));
    const best = chosen.map((row) => row.indexOf(Math.max(...row)));
    const crowd = [...best.keys()].filter((t) => best[t] === 1).sort((a, b) => chosen[b]![1]! - chosen[a]![1]!);
    expect(crowd.length).toBeGreaterThan(4);
    for (let t = 0; t < T; t++) {
      expect(rowOf(y, t)).toEqual(crowd.slice(4).includes(t) ? nothing : rowOf(free.y, t));
    }
    expect(dropped![1]).toBe(crowd.length - 4);
  });

  test("nothing is dropped but in training", async () => {
    const { y, dropped } = await run({ capacity: 0.5 }, { bias: crowded }, { training: false });
    expect(dropped).toBeUndefined();
    expect([...y]).toEqual([...(await run({}, { bias: crowded })).y]);
  });

  test("the balance loss is of what was asked for", async () => {
    const [limited, free] = [await run({ capacity: 0.5 }, { bias: crowded }), await run({}, { bias: crowded })];
    expectClose(limited.balanceLoss, free.balanceLoss, 1e-6);
  });
});

describe("experts", () => {
  const cube = (x: Tensor) => mul(x, mul(x, x));
  const gelu = (x: Tensor) =>
    map("gelu", [x, cube(x)], (x, cube) => x.mul(0.5).mul(x.add(cube.mul(0.044715)).mul(0.7978845608).tanh().add(1)));
  const relu = (x: Tensor) => map("relu", [x], (x) => x.max(0));
  const plain = { gelu, relu };
  const gated = {
    swiglu,
    geglu: (gate: Tensor, value: Tensor) => mul(gelu(gate), value),
    reglu: (gate: Tensor, value: Tensor) => mul(relu(gate), value),
  };

  test.each([..."swiglu geglu reglu gelu relu".split(" ")] as NonNullable<MoeConfig["activation"]>[])(
    "one %s expert is the dense layer, gradients too",
    async (activation) => {
      const one = { experts: 1, topK: 1, hidden: H, activation };
      const inputs = {
        ...given,
        gateUp: random([1, 2, H, D], 2),
        up: random([1, H, D], 3),
        down: random([1, D, H], 4),
        weight: random([1, D], 5),
        bias: { shape: [1], data: new Float32Array(1) },
      };
      const two = activation === "gelu" || activation === "relu";
      const { actual, expected } = await evaluate(await testGpu(), inputs, (t) => {
        const { x, gateUp, up, down, cotangent } = t;
        const experts = two ? { up, down } : { gateUp, down };
        const both = (y: Tensor) => ({ y, gradients: gradients(sum(mul(y, cotangent)), { x, ...experts }) });
        const through = (weight: Tensor) => matmul(x, reshape(weight, [H, D]), { transposeB: true });
        const [gate, value] = splitGateUp(gateUp);
        const inner = two ? plain[activation](through(up)) : gated[activation](through(gate), through(value));
        return {
          actual: both(moeLayer({ ...layerInput(t, one), experts }).y),
          expected: both(matmul(inner, reshape(down, [D, H]), { transposeB: true })),
        };
      });
      expectClose(actual.y, expected.y);
      expectClose(actual.gradients.x, expected.gradients.x);
      expectClose(actual.gradients.down, expected.gradients.down);
      const first = two ? "up" : "gateUp";
      expectClose((actual.gradients as never)[first], (expected.gradients as never)[first]);
    },
  );

  test.each(["swiglu", "relu"] as const)(
    "shared %s experts add one dense layer for every token",
    async (activation) => {
      const two = activation === "relu";
      const inputs = {
        ...given,
        shared: random(two ? [2 * H, D] : [2, 2 * H, D], 8), // two shared experts side by side
        out: random([D, 2 * H], 9),
      };
      const result = await evaluate(await testGpu(), inputs, (t) => {
        const first = two ? ("up" as const) : ("gateUp" as const);
        const own = {
          ...layerInput(t, { ...base, activation, sharedExperts: 2 }),
          experts: { [first]: t[first], down: t.down },
        } as MoeInput;
        const { y } = moeLayer({ ...own, sharedExperts: { [first]: t.shared, down: t.out } as never });
        const halves = two ? undefined : splitGateUp(reshape(t.shared, [1, 2, 2 * H, D]));
        const through = (weight: Tensor) => matmul(t.x, reshape(weight, [2 * H, D]), { transposeB: true });
        const inner = halves ? swiglu(through(halves[0]), through(halves[1])) : relu(through(t.shared));
        const expected = add(moeLayer(own).y, matmul(inner, t.out, { transposeB: true }));
        const slopes = (y: Tensor) => gradients(sum(mul(y, t.cotangent)), { shared: t.shared, out: t.out, x: t.x });
        return { y, expected, slopes: slopes(y), expectedSlopes: slopes(expected) };
      });
      expectClose(result.y, result.expected);
      for (const name of ["shared", "out", "x"] as const) {
        expectClose(result.slopes[name], result.expectedSlopes[name]);
      }
    },
  );
});

describe("jitter", () => {
  const withNoise = async (jitter: number, key: number[], training = true) => {
    const inputs = { ...given, noise: { shape: [2], data: Uint32Array.from(key) } };
    return evaluate(await testGpu(), inputs, ({ noise, ...t }) => ({
      logits: moeLayer({ ...layerInput(t, { ...base, jitter }), training, noise }).logits,
    }));
  };

  test("moves the router's input only, and only while training", async () => {
    const [plain, shaken, again, other] = [
      await withNoise(0, [1, 2]),
      await withNoise(0.3, [1, 2]),
      await withNoise(0.3, [1, 2]),
      await withNoise(0.3, [3, 4]),
    ];
    expect([...shaken.logits]).toEqual([...again.logits]);
    expect([...shaken.logits]).not.toEqual([...plain.logits]);
    expect([...shaken.logits]).not.toEqual([...other.logits]);
    expect([...(await withNoise(0.3, [1, 2], false)).logits]).toEqual([...plain.logits]);
    // A logit is a sum of D products, each off by at most 30 %.
    const [x, weight] = [given.x.data, given.weight.data];
    for (let t = 0; t < T; t++) {
      for (let e = 0; e < E; e++) {
        let most = 0;
        for (let d = 0; d < D; d++) most += 0.3 * Math.abs(x[t * D + d]! * weight[e * D + d]!);
        expect(Math.abs(shaken.logits[t * E + e]! - plain.logits[t * E + e]!)).toBeLessThanOrEqual(most + 1e-5);
      }
    }
  });

  test("without a key is an error", async () => {
    await expect(run({ jitter: 0.1 })).rejects.toThrow("moe.jitter: needs a key of noise");
  });
});

describe("even routing", () => {
  test("gives every expert the same load, whatever the scores, with the router's own weights", async () => {
    const mask = { shape: [T], data: Float32Array.from({ length: T }, (_, t) => (t < 12 ? 1 : 0)) };
    const { y, load, gradients } = await run({ even: true }, { bias: crowded, mask });
    expect([...load]).toEqual(Array(E).fill(6));
    expect(rowOf(y, 12)).toEqual(nothing);
    expect(rowOf(y, 3).some((value) => value !== 0)).toBe(true);
    expect(gradients.weight.some((value) => value !== 0)).toBe(true);
  });
});

test("the balance loss of a micro-batch is E sum_e f_e p_e, with f of all micro-batches so far", async () => {
  const before = [0, 30, 4, 0];
  const inputs = { ...given, before: { shape: [E], data: Float32Array.from(before) } };
  const { balanceLoss, load, probabilities } = await evaluate(await testGpu(), inputs, ({ before, ...t }) =>
    moeOutputs({ ...layerInput(t, base), loadBefore: before }),
  );
  const counts = before.map((count, e) => count + load[e]!);
  const total = counts.reduce((a, b) => a + b, 0);
  const expected = counts.reduce((sum, count, e) => sum + (count / total) * (probabilities[e]! / T), 0) * E;
  expectClose(balanceLoss, [expected], 1e-5);
});

const moeOutputs = (input: MoeInput) => {
  const { balanceLoss, load, probabilities } = moeLayer(input);
  return { balanceLoss, load, probabilities };
};
