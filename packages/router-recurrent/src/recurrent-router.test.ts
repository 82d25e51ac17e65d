import { readFileSync } from "node:fs";
import type { RouterShape } from "@webmoe/router";
import { checkRouter, compareWithReference } from "@webmoe/router/testing";
import * as routers from "@webmoe/router-baselines";
import { xmoeRouter } from "@webmoe/router-xmoe";
import {
  add,
  compile,
  evaluate,
  f32,
  gradients,
  gruCell,
  key,
  leaves,
  mapTree,
  materialize,
  mul,
  type Spec,
  sizeOf,
  sum,
  u32,
} from "@webmoe/tensor";
import { parseSafetensors } from "@webmoe/tensor/files";
import { type GivenInput, random, relativeError } from "@webmoe/tensor/testing";
import { expectClose, testGpu } from "@webmoe/webgpu/testing";
import { describe, expect, test } from "vitest";
import { type RecurrentCarry, type RecurrentRouterOptions, recurrentRouter } from "./recurrent-router";

test.each<[RecurrentRouterOptions, string[]?]>([
  [{}],
  [{ bias: true, init: "normal" }],
  [{ cell: "rnn", residual: 0.5 }],
  [{ cell: "lstm" }],
  [{ projection: "none", detachState: true }],
  // Without a state nothing reaches the weights that would read it.
  [{ state: false, residual: 1, detachResidual: true }, ["shared.gru.hiddenWeight"]],
  [{ head: xmoeRouter({ dim: 2 }) }],
])("keeps the contract of routers, %o", (options, idle) =>
  checkRouter(recurrentRouter({ dim: 3, ...options }), { idle }),
);

/** Every router whose scores depend on what it is given. */
const { hashRouter, denseRouter, ...heads } = routers;

test.each(Object.entries(heads))("keeps the contract of routers in front of %s", (_, make) =>
  checkRouter(recurrentRouter({ dim: 4, head: make() })),
);

const counted = (options: RecurrentRouterOptions, shape: RouterShape) => {
  const { buffers, ...learned } = recurrentRouter(options).init(shape, key(0));
  return leaves<Spec>(learned).reduce((total, [, { shape }]) => total + sizeOf(shape), 0);
};

// Table 6 of the paper: the whole model less the router of its plain baseline.
test.each<[RecurrentRouterOptions, number]>([
  [{ bias: true }, 477_056],
  [{ bias: false }, 477_056 - 8 * (128 + 16)],
  [{ bias: true, cell: "rnn" }, 8 * (352 * 128 + 128 + 128 * 16 + 16) + 2 * 128 * 128 + 2 * 128],
  [{ bias: true, cell: "lstm" }, 8 * (352 * 128 + 128 + 128 * 16 + 16) + 8 * 128 * 128 + 8 * 128],
  [{ bias: true, projection: "none" }, 201_600],
  [{ head: xmoeRouter() }, 8 * (352 * 128 + 128 * 16 + 16 * 16 + 1) + 6 * 128 * 128 + 6 * 128],
])("parameters in the paper's medium model, %o", (options, expected) => {
  expect(counted(options, { dim: 352, experts: 16, layers: 8, topK: 2, vocab: 205 })).toBe(expected);
});

test("the 0.91B model has the paper's 3.6M more parameters than with a linear gate", () => {
  const shape = { dim: 1280, experts: 16, layers: 24, topK: 4, vocab: 96_512 };
  const linear = 24 * 1280 * 16;
  expect(counted({}, shape) - linear).toBe(24 * (1280 * 128 + 128 * 16 - 1280 * 16) + 6 * 128 ** 2 + 6 * 128);
});

/** The root mean square of an untrained router's scores of random tokens. */
async function firstScores(options: RecurrentRouterOptions): Promise<number> {
  const [tokens, shape] = [64, { dim: 264, experts: 16, layers: 1, topK: 2, vocab: 8 }];
  const gpu = await testGpu();
  const router = recurrentRouter(options);
  const state = await materialize(gpu, router.init(shape, key(3)));
  const inputs = { x: f32(tokens, shape.dim), ids: u32(tokens), mask: f32(tokens) };
  const program = await compile(gpu, { state, inputs }, ({ shared, layers }, { x, ids, mask }) => {
    const common = { index: 0, carry: undefined, tokens: ids, mask, training: true };
    return router.score({ ...common, x, shared, layer: layers[0] as never }).logits;
  });
  const x = Float32Array.from(random([tokens, shape.dim], 5).data, (value) => Math.sqrt(3) * value);
  const ticket = await program.run({ x, ids: new Uint32Array(tokens), mask: new Float32Array(tokens).fill(1) });
  const logits = await ticket.outputs;
  program.close();
  return Math.sqrt(logits.reduce((total, value) => total + value ** 2, 0) / logits.length);
}

test("an untrained router tells experts apart, which 0.02 throughout hardly does", async () => {
  expect(await firstScores({})).toBeGreaterThan(0.05);
  expect(await firstScores({ init: "normal" })).toBeLessThan(0.02);
});

// From tools/fixtures/make_fixtures.py.
test("the cell and its gradients are those of torch.nn.GRUCell", async () => {
  const fixture = parseSafetensors(readFileSync(new URL("./fixtures/gru-cell.safetensors", import.meta.url)));
  const given = (name: string): GivenInput => {
    const { shape, values } = fixture.get(name)!;
    return { shape, data: Float32Array.from(values) };
  };
  const inputs = {
    x: given("x"),
    h: given("h"),
    dy: given("dy"),
    weight_ih: given("weight_ih"),
    weight_hh: given("weight_hh"),
    bias_ih: given("bias_ih"),
    bias_hh: given("bias_hh"),
  };
  const { y, ...derived } = await evaluate(await testGpu(), inputs, ({ x, h, dy, ...weights }) => {
    const y = gruCell({
      x,
      state: h,
      inputWeight: weights.weight_ih,
      hiddenWeight: weights.weight_hh,
      inputBias: weights.bias_ih,
      hiddenBias: weights.bias_hh,
    });
    return { y, ...gradients(sum(mul(y, dy)), { x, h, ...weights }) };
  });
  expect(relativeError(y, fixture.get("y")!.values)).toBeLessThan(1e-5);
  for (const [name, gradient] of Object.entries(derived)) {
    expect(relativeError(gradient, fixture.get(`d${name}`)!.values), `d${name}`).toBeLessThan(1e-4);
  }
});

// From tools/fixtures/make_router_fixtures.py.
test.each<[string, RecurrentRouterOptions]>([
  ["gru", {}],
  ["gru-bias", { bias: true }],
  ["rnn", { cell: "rnn" }],
  ["lstm", { cell: "lstm" }],
  ["shared-projection", { projection: "none" }],
  ["no-state", { state: false }],
  ["detach-state", { detachState: true }],
  ["lstm-detach-state", { cell: "lstm", detachState: true }],
  ["residual", { state: false, residual: 0.5 }],
  ["detach-residual", { residual: 1, detachResidual: true }],
  ["xmoe", { head: xmoeRouter({ dim: 3 }) }],
])("scores, choice and gradients are PyTorch's: %s", async (name, options) => {
  const file = readFileSync(new URL(`./fixtures/${name}.safetensors`, import.meta.url));
  await compareWithReference(recurrentRouter({ dim: 5, ...options }), file);
});

describe("what the options promise", () => {
  const [tokens, dim, width, experts] = [5, 6, 4, 3];
  const xs = [1, 2, 3].map((seed) => random([tokens, dim], seed));

  /** Logits of all layers, and the gradient of the last layer's by the first layer's projection, plus 1. */
  async function scoresOf(options: RecurrentRouterOptions, inputs = xs) {
    const router = recurrentRouter({ dim: width, ...options });
    const shape = { dim, experts, layers: inputs.length, topK: 2, vocab: 7 };
    const { shared, layers } = router.init(shape, key(0));
    const parameters = Object.fromEntries(
      leaves<Spec>({ shared, layers }).map(([path, { shape }], index) => [path, random(shape, 50 + index)]),
    );
    const given = { ...parameters, ...Object.fromEntries(inputs.map((x, index) => [`x${index}`, x])) };
    return evaluate(await testGpu(), given, (handles) => {
      const trees = mapTree({ shared, layers }, (_, path) => handles[path]!);
      let carry: RecurrentCarry | undefined;
      const logits = inputs.map((_, index) => {
        const x = handles[`x${index}`]!;
        const scores = router.score({
          x,
          shared: trees.shared,
          layer: trees.layers[index]!,
          index,
          carry,
          tokens: x as never,
          mask: x,
          training: true,
        });
        carry = scores.carry;
        return scores.logits;
      });
      const [first, last] = [trees.layers[0]!.projection!, sum(mul(logits.at(-1)!, logits.at(-1)!))];
      return { logits, first: gradients(add(last, sum(first)), first) };
    });
  }

  test("without a state the layers before make no difference", async () => {
    const other = [random([tokens, dim], 9), ...xs.slice(1)];
    const [before, after] = [await scoresOf({ state: false }), await scoresOf({ state: false }, other)];
    expect(after.logits[0]).not.toEqual(before.logits[0]);
    expect(after.logits.slice(1)).toEqual(before.logits.slice(1));
    const [withState, shifted] = [await scoresOf({}), await scoresOf({}, other)];
    expect(shifted.logits[2]).not.toEqual(withState.logits[2]);
  });

  test.each(["gru", "rnn", "lstm"] as const)("detaching changes no score and stops the gradient, %s", async (cell) => {
    const [attached, detached] = [await scoresOf({ cell }), await scoresOf({ cell, detachState: true })];
    expect(detached.logits).toEqual(attached.logits);
    expect(attached.first.every((value) => value !== 1)).toBe(true);
    expect(detached.first.every((value) => value === 1)).toBe(true);
  });

  test("in a model of one layer the state makes no difference", async () => {
    const one = xs.slice(0, 1);
    const [recurrent, stateless] = [await scoresOf({}, one), await scoresOf({ state: false }, one)];
    expect(stateless).toEqual(recurrent);
  });

  test("the logit residual adds the layer before's own logits", async () => {
    const [plain, added] = [await scoresOf({}), await scoresOf({ residual: 0.5 })];
    const expected = plain.logits[2]!.map((value, i) => value + 0.5 * plain.logits[1]![i]!);
    expectClose(added.logits[2]!, expected);
  });
});

test("values that are not PyTorch's are found", async () => {
  const file = readFileSync(new URL("./fixtures/gru.safetensors", import.meta.url));
  const compared = (options: RecurrentRouterOptions) =>
    compareWithReference(recurrentRouter({ dim: 5, ...options }), file);
  await expect(compared({ residual: 0.01 })).rejects.toThrow("recurrent: logits.1 must agree with the reference");
  await expect(compared({ detachState: true })).rejects.toThrow("recurrent: d.");
  await expect(compared({ bias: true })).rejects.toThrow('got "layers.0.projectionBias" in one only');
});
