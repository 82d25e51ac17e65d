import { languageModel } from "@webmoe/model";
import { linear, linearWeight } from "@webmoe/nn";
import { type AnyRouter, defineRouter } from "@webmoe/router";
import { denseRouter, expertChoiceRouter, hashRouter } from "@webmoe/router-baselines";
import { linearRouter } from "@webmoe/router-linear";
import { recurrentRouter } from "@webmoe/router-recurrent";
import { fold, type Init, key, materialize, release, type Tensor } from "@webmoe/tensor";
import { testGpu } from "@webmoe/webgpu/testing";
import { expect, test } from "vitest";
import { inspectModel } from "./inspect-model";

const [sequences, context, layers, experts, topK] = [3, 12, 2, 4, 2];
const moe = { experts, topK, hidden: 8, balanceLoss: 0.01, zLoss: 0 };
const config = { vocab: 40, dim: 16, layers, heads: 2, context, moe };

const batch = (start: number) => ({
  tokens: Uint32Array.from({ length: sequences * context }, (_, t) => (start + t * t * 7) % 40),
  targets: Uint32Array.from({ length: sequences * context }, (_, t) => (start + (t + 1) * (t + 1) * 7) % 40),
});
const batches = [batch(0), batch(5)];

async function inspect(router: AnyRouter, changes: Partial<typeof moe> = {}) {
  const gpu = await testGpu();
  const model = languageModel({ ...config, moe: { ...moe, ...changes } }, router);
  const initial = model.init(key(3));
  const parameters = await materialize(gpu, initial.parameters);
  const buffers = await materialize(gpu, initial.buffers, "buffers");
  const options = {
    batches,
    sequences,
    textOf: (token: number) => String.fromCharCode(97 + (token % 26)),
    permutations: 20,
  };
  const result = await inspectModel(gpu, { model, parameters, buffers }, options);
  release(parameters);
  if (buffers) release(buffers);
  return result;
}

test("a recurrent router: every metric applies, and each adds up", async () => {
  const { inspection, first } = await inspect(recurrentRouter({ dim: 8, init: "torch" }));
  expect(inspection.notes).toEqual([]);
  expect(inspection.tokens).toBe(2 * sequences * context);
  expect(inspection.laterTokens).toBe(0);
  for (const layer of inspection.layers) {
    expect(layer.load.reduce((a, b) => a + b)).toBe(inspection.tokens * topK);
    expect(layer.classes.flat().reduce((a, b) => a + b)).toBe(inspection.tokens * topK);
    expect(layer.entropy.histogram.reduce((a, b) => a + b)).toBe(inspection.tokens);
    expect(layer.entropy.mean).toBeLessThanOrEqual(Math.log(experts));
    const { whole, languageModel: language, balance } = layer.gradient!;
    expect(language).toBeGreaterThan(0);
    expect(balance).toBeGreaterThan(0);
    expect(whole).toBeLessThanOrEqual((language + balance) * (1 + 1e-5));
    expect(whole).toBeGreaterThanOrEqual(Math.abs(language - balance) * (1 - 1e-5));
    expect(Object.keys(layer.router)).toEqual(["projection", "gate"]);
    // Random experts have nothing in common: only the diagonal of three parts is left.
    expect(layer.similarity.whole).toBeGreaterThan(3 / experts - 0.5);
    expect(Math.abs(layer.similarity.offDiagonal)).toBeLessThan(0.8);
    expect(layer.stateNorms["memory.state"]).toBeGreaterThan(0);
  }
  const { router, shared } = inspection.gradient!;
  const together = Math.hypot(
    shared!.languageModel,
    ...inspection.layers.map((layer) => layer.gradient!.languageModel),
  );
  expect(router.languageModel / together).toBeCloseTo(1, 1); // a mean of norms is not quite the norm of means
  expect(inspection.layers[0]!.stateEffect).toBeUndefined();
  expect(inspection.layers[1]!.stateEffect!.distance).toBeGreaterThan(0);
  expect(first.layers[0]!.expert).toHaveLength(sequences * context * topK);
});

test("zeros in place of a state that says everything leave the first expert to every token", async () => {
  /** The first layer scores x; those after it hand on its scores and choose by them alone. */
  const copycat = defineRouter<Record<string, never>, { gate?: Init }, Tensor>({
    name: "copycat",
    init: ({ experts, layers, dim }, key) => ({
      shared: {},
      layers: Array.from({ length: layers }, (_, index) =>
        index === 0 ? { gate: linearWeight([experts, dim], fold(key, "gate"), "torch") } : {},
      ),
    }),
    score: ({ x, layer, carry }) => {
      const logits = carry ?? linear(x, layer.gate!);
      return { logits, carry: logits };
    },
  });
  const { inspection } = await inspect(copycat);
  const [, second] = inspection.layers;
  const firstShare = inspection.information.choices;
  expect(firstShare.raw[0]![1]).toBeCloseTo(firstShare.raw[0]![0]!, 12);
  expect(firstShare.corrected[0]![1]).toBeGreaterThan(10 * firstShare.spread[0]![1]!);
  expect(second!.stateEffect!.first).toBeGreaterThan(0.3);
  expect(second!.stateEffect!.first).toBeLessThan(1);
});

test("without a balance loss its gradient is zero, and the whole is the language model's", async () => {
  const { inspection } = await inspect(linearRouter({ init: "torch" }), { balanceLoss: 0 });
  const { whole, languageModel: language, balance } = inspection.gradient!.router;
  expect(balance).toBe(0);
  expect(whole / language).toBeCloseTo(1, 5);
  expect(inspection.notes).toEqual([expect.stringContaining("linear hands nothing from layer to layer")]);
});

test("expert choice is found to look at later tokens", async () => {
  const { inspection } = await inspect(expertChoiceRouter({ init: "torch" }));
  expect(inspection.laterTokens).toBeGreaterThan(0);
  expect(inspection.notes[0]).toContain("unfit for token-by-token sampling");
  expect(inspection.layers[0]!.dropRatio).toBe(0);
  expect(inspection.layers[0]!.expertsPerToken).toBe(topK);
});

test("hash and dense routers learn nothing, and dense chooses nothing", async () => {
  const hash = (await inspect(hashRouter())).inspection;
  expect(hash.gradient).toBeUndefined();
  expect(hash.layers[0]!.entropy.mean).toBeCloseTo(Math.log(2), 5);
  expect(hash.notes).toEqual([
    expect.stringContaining("hands nothing"),
    expect.stringContaining("hash learns nothing"),
  ]);
  const dense = (await inspect(denseRouter())).inspection;
  expect(dense.layers[0]!).toMatchObject({ expertsPerToken: experts, maxViolation: 0, innerBalance: 1 });
  expect(dense.notes[0]).toContain("there is no choice");
  expect(dense.information.choices.raw[0]![1]).toBe(0);
});
