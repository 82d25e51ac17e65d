import {
  add,
  broadcastTo,
  div,
  evaluate,
  exp,
  gradients,
  log,
  map,
  matmul,
  mul,
  reshape,
  scale,
  sum,
  swiglu,
  type Tensor,
  tokenOfAssignment,
} from "@webmoe/tensor";
import { type GivenInput, random, relativeError } from "@webmoe/tensor/testing";
import type { Gpu } from "@webmoe/webgpu";
import { openGpu } from "@webmoe/webgpu/node";
import { expectClose, testGpu } from "@webmoe/webgpu/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { biasedRouter as router } from "./biased-router";
import { moeLayer } from "./moe-layer";
import { splitGateUp } from "./split-gate-up";

// Letters of shapes: T tokens, D width, H inner width, E experts, K experts a token.

interface Case {
  name: string;
  tokens: number;
  dim: number;
  hidden: number;
  experts: number;
  topK: number;
  renormalize?: boolean;
  /** Tokens that are padding. */
  padding?: number[];
  /** Added to the scores of each expert. */
  bias?: number[];
  /** All scores are equal. */
  ties?: boolean;
}

type Inputs = Record<"x" | "gateUp" | "down" | "weight" | "bias" | "mask" | "cotangent", GivenInput>;

function inputsOf({ tokens, dim, hidden, experts, padding = [], bias, ties }: Case): Inputs {
  const weight = random([experts, dim], 5);
  return {
    x: random([tokens, dim], 1),
    gateUp: random([experts, 2, hidden, dim], 2),
    down: random([experts, dim, hidden], 4),
    weight: ties ? { shape: weight.shape, data: new Float32Array(weight.data.length) } : weight,
    bias: { shape: [experts], data: Float32Array.from(bias ?? Array(experts).fill(0)) },
    mask: {
      shape: [tokens],
      data: Float32Array.from({ length: tokens }, (_, t) => (padding.includes(t) ? 0 : 1)),
    },
    cotangent: random([tokens, dim], 6),
  };
}

const learned = ({ x, gateUp, down, weight, bias }: Record<keyof Inputs, Tensor>) => ({
  x,
  gateUp,
  down,
  weight,
  bias,
});

/** Output, losses and every gradient of sum(y * cotangent) + 0.7 balance + 0.3 z, by the layer. */
function sparse(gpu: Gpu, inputs: Inputs, { experts, topK, hidden, renormalize }: Case) {
  return evaluate(gpu, inputs, (tensors) => {
    const { x, gateUp, down, weight, bias, mask, cotangent } = tensors;
    const { y, balanceLoss, zLoss, load } = moeLayer({
      x,
      experts: { gateUp, down },
      config: { experts, topK, hidden, renormalize },
      router,
      routerParameters: { shared: {}, layer: { weight, bias } },
      index: 0,
      carry: undefined,
      tokens: tokenOfAssignment(x, 1),
      mask,
      training: true,
    });
    const loss = add(sum(mul(y, cotangent)), scale(balanceLoss, 0.7), scale(zLoss, 0.3));
    return { y, balanceLoss, zLoss, load, gradients: gradients(loss, learned(tensors)) };
  });
}

/** The same by every expert on every token: [E, T] of scores, zeros where an expert is not among the chosen. */
function dense(gpu: Gpu, inputs: Inputs, config: Case) {
  const { experts, tokens, dim, topK } = config;
  const renormalize = config.renormalize ?? topK > 1;
  const chosen = choose(inputs, config);
  const real = inputs.mask.data.filter((value) => value === 1).length;
  const share = Float32Array.from({ length: experts }, (_, e) => {
    const load = chosen.subarray(e * tokens, (e + 1) * tokens).reduce((a, b) => a + b, 0);
    return load / Math.max(1, real * topK);
  });
  const given = {
    ...inputs,
    chosen: { shape: [experts, tokens], data: chosen },
    share: { shape: [experts, 1], data: share },
  };
  return evaluate(gpu, given, (tensors) => {
    const { x, gateUp, down, weight, bias, mask, cotangent, chosen, share } = tensors;
    const logits = add(matmul(weight, x, { transposeB: true }), reshape(bias, [experts, 1])); // [E, T]
    const exps = exp(logits);
    const total = sum(exps, 0, 1); // [1, T]
    const probabilities = mul(div(exps, total), mask);
    const kept = mul(exps, chosen);
    // A masked token has nothing chosen: its sum is kept away from 0 / 0.
    const weights = renormalize
      ? div(
          kept,
          map("kept", [sum(kept, 0, 1), mask], (kept, mask) => kept.add(mask.less(0.5))),
        )
      : div(kept, total);

    const all = broadcastTo(x, [experts, tokens, dim]);
    const [gate, up] = splitGateUp(gateUp);
    const inner = swiglu(matmul(all, gate, { transposeB: true }), matmul(all, up, { transposeB: true }));
    const outputs = matmul(inner, down, { transposeB: true }); // [E, T, D]
    const y = reshape(sum(mul(outputs, reshape(weights, [experts, tokens, 1])), 0, 1), [tokens, dim]);

    const lse = log(total);
    const balanceLoss = scale(sum(mul(share, sum(probabilities, 1, 2))), experts / Math.max(1, real));
    const zLoss = scale(sum(mul(mul(lse, lse), mask)), 1 / Math.max(1, real));
    const loss = add(sum(mul(y, cotangent)), scale(balanceLoss, 0.7), scale(zLoss, 0.3));
    return { y, balanceLoss, zLoss, gradients: gradients(loss, learned(tensors)) };
  });
}

/** 1 where expert e is among the K best of token t, ties to the lower one: [E, T]. */
function choose({ x, weight, bias, mask }: Inputs, { tokens, dim, experts, topK }: Case): Float32Array {
  const chosen = new Float32Array(experts * tokens);
  for (let t = 0; t < tokens; t++) {
    if (mask.data[t] === 0) continue;
    const scores = Array.from({ length: experts }, (_, e) => {
      let score = bias.data[e]!;
      for (let d = 0; d < dim; d++) score += weight.data[e * dim + d]! * x.data[t * dim + d]!;
      return { e, score };
    });
    scores.sort((a, b) => b.score - a.score || a.e - b.e);
    for (const { e } of scores.slice(0, topK)) chosen[e * tokens + t] = 1;
  }
  return chosen;
}

const cases: Case[] = [
  {
    name: "several tiles, padding, an empty expert",
    tokens: 70,
    dim: 3,
    hidden: 5,
    experts: 4,
    topK: 2,
    padding: [0, 33, 69],
    bias: [0, 0, -9, 0],
  },
  { name: "odd sizes with padding", tokens: 13, dim: 5, hidden: 7, experts: 4, topK: 2, padding: [0, 6, 12] },
  { name: "empty experts", tokens: 6, dim: 4, hidden: 3, experts: 5, topK: 1, bias: [9, -9, 9, -9, -9] },
  { name: "one expert takes all", tokens: 9, dim: 4, hidden: 3, experts: 3, topK: 1, bias: [0, 12, 0] },
  { name: "one token", tokens: 1, dim: 5, hidden: 3, experts: 4, topK: 2 },
  { name: "every expert", tokens: 5, dim: 3, hidden: 2, experts: 3, topK: 3 },
  { name: "ties", tokens: 5, dim: 3, hidden: 2, experts: 4, topK: 2, ties: true },
  { name: "weights left as they are", tokens: 7, dim: 3, hidden: 2, experts: 4, topK: 2, renormalize: false },
  { name: "nothing but padding", tokens: 3, dim: 3, hidden: 2, experts: 2, topK: 2, padding: [0, 1, 2] },
];

describe.each(["serial", "tiled"] as const)("moeLayer, %s kernels", (kernelClass) => {
  let gpu: Gpu;
  beforeAll(async () => {
    gpu = await openGpu({ adapter: process.env.WEBMOE_TEST_ADAPTER, kernelClass });
  });
  afterAll(() => gpu.close());

  // Software adapters take long to compile kernels with barriers, which are compiled anew for every size.
  test.each(kernelClass === "serial" ? cases : cases.slice(0, 1))(
    "equals every expert on every token: $name",
    async (config) => {
      const inputs = inputsOf(config);
      const [actual, expected] = [await sparse(gpu, inputs, config), await dense(await testGpu(), inputs, config)];
      expectClose(actual.y, expected.y);
      expectClose(actual.balanceLoss, expected.balanceLoss);
      expectClose(actual.zLoss, expected.zLoss);
      for (const name of ["x", "gateUp", "down", "weight", "bias"] as const) {
        try {
          expectClose(actual.gradients[name], expected.gradients[name]);
        } catch (error) {
          throw new Error(`d${name}: ${(error as Error).message}`);
        }
      }
    },
  );
});

test("one expert, one a token, is the dense layer", async () => {
  const config = { name: "", tokens: 5, dim: 4, hidden: 3, experts: 1, topK: 1 };
  const inputs = inputsOf(config);
  const gpu = await testGpu();
  const { y, load } = await sparse(gpu, inputs, config);
  const expected = await evaluate(gpu, inputs, ({ x, gateUp, down }) => {
    const [gate, up] = splitGateUp(gateUp).map((weight) => matmul(x, reshape(weight, [3, 4]), { transposeB: true }));
    return matmul(swiglu(gate!, up!), reshape(down, [4, 3]), { transposeB: true });
  });
  expect(relativeError(y, expected)).toBeLessThan(1e-6);
  expect([...load]).toEqual([5]);
});

test("padding gets zeros and changes no loss and no load", async () => {
  const gpu = await testGpu();
  const config = { name: "", tokens: 8, dim: 4, hidden: 3, experts: 3, topK: 2, padding: [3, 4, 7] };
  const padded = inputsOf(config);
  const kept = [0, 1, 2, 5, 6];
  const rows = ({ data }: GivenInput) => ({
    shape: [5, 4],
    data: Float32Array.from(kept.flatMap((t) => [...data.subarray(t * 4, t * 4 + 4)])),
  });
  const short: Inputs = {
    ...padded,
    x: rows(padded.x),
    cotangent: rows(padded.cotangent),
    mask: { shape: [5], data: new Float32Array(5).fill(1) },
  };
  const [long, alone] = [await sparse(gpu, padded, config), await sparse(gpu, short, config)];
  for (const t of [3, 4, 7]) expect([...long.y.subarray(t * 4, t * 4 + 4)]).toEqual([0, 0, 0, 0]);
  expect([...long.load]).toEqual([...alone.load]);
  expectClose(long.balanceLoss, alone.balanceLoss);
  expectClose(long.zLoss, alone.zLoss);
  expectClose(long.gradients.gateUp, alone.gradients.gateUp);
  expectClose(long.gradients.weight, alone.gradients.weight);
});

test.each([1, 2])("the balance loss is 1 at perfect balance, top %i", async (topK) => {
  // Token t is a unit vector whose scores fall from expert t round to expert t - 1.
  const config = { name: "", tokens: 4, dim: 4, hidden: 2, experts: 4, topK };
  const inputs = inputsOf(config);
  const unit = Float32Array.from({ length: 16 }, (_, i) => (i % 5 === 0 ? 1 : 0));
  const wheel = Float32Array.from({ length: 16 }, (_, i) => -((Math.floor(i / 4) - (i % 4) + 4) % 4));
  const balanced = { ...inputs, x: { shape: [4, 4], data: unit }, weight: { shape: [4, 4], data: wheel } };
  const { balanceLoss, load } = await sparse(await testGpu(), balanced, config);
  expect([...load]).toEqual(Array(4).fill(topK));
  expectClose(balanceLoss, [1], 1e-6);

  const skewed = { ...balanced, bias: { shape: [4], data: Float32Array.of(9, 0, 0, 0) } };
  const worse = await sparse(await testGpu(), skewed, config);
  expect(worse.balanceLoss[0]).toBeGreaterThan(topK === 1 ? 3.9 : 1.9);
});
