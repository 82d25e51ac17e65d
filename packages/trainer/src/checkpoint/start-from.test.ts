import { classifier, languageModel } from "@webmoe/model";
import { linearRouter } from "@webmoe/router-linear";
import { recurrentRouter } from "@webmoe/router-recurrent";
import { type DeviceTensor, leaves, readTensor } from "@webmoe/tensor";
import { testGpu } from "@webmoe/webgpu/testing";
import { describe, expect, test } from "vitest";
import { openSession } from "../session";
import { trainSettings } from "../settings";
import { save } from "./checkpoint";
import { memoryRun } from "./memory-run";
import { startFrom } from "./start-from";

const moe = { experts: 4, topK: 2, hidden: 12, balanceLoss: 0.01, zLoss: 0 };
const config = { vocab: 31, dim: 16, layers: 2, heads: 2, context: 8, moe };
const settings = trainSettings({ batch: { size: 2 } });
const router = recurrentRouter({ dim: 8 });
const batch = {
  tokens: Uint32Array.from({ length: 16 }, (_, i) => (i * 7) % 31),
  targets: Uint32Array.from({ length: 16 }, (_, i) => (i * 7 + 7) % 31),
};

/** The saved tensors of a model after a step, and its loss then. */
async function trained(model: ReturnType<typeof languageModel>) {
  const session = await openSession(await testGpu(), model, settings);
  await (await session.step([batch], 0.05, 1)).values;
  const run = memoryRun();
  await save(run, session, model, { step: 1, settings });
  const { loss } = await session.evaluate(batch);
  const parameters = session.state.parameters;
  const embedding = await readTensor(parameters.embedding);
  session.close();
  return { reader: (await run.latestCheckpoint())!.model, loss, embedding };
}

describe("startFrom", () => {
  test("a classifier takes everything below the head of a language model", async () => {
    const { reader, embedding } = await trained(languageModel(config, router));
    const model = classifier(config, router, { classes: 3 });
    const session = await openSession(await testGpu(), model, settings);
    expect(await startFrom(model, session.state.parameters, reader)).toEqual(["score.weight"]);
    expect(await readTensor(session.state.parameters.embedding)).toEqual(embedding);
    const score = leaves<DeviceTensor>(session.state.parameters).find(([path]) => path === "score")![1];
    expect((await readTensor(score)).some((value) => value !== 0)).toBe(true);
    session.close();
  });

  test("another router or width is refused by name and shape", async () => {
    const { reader } = await trained(languageModel(config, router));
    for (const [model, message] of [
      [languageModel(config, linearRouter()), /"model\.layers\.0\.mlp\.gate\.weight", and the checkpoint has none/],
      [languageModel({ ...config, dim: 32 }, router), /needs shape \[31, 32\], got \[31, 16\]/],
    ] as const) {
      const session = await openSession(await testGpu(), model, settings);
      await expect(startFrom(model, session.state.parameters, reader)).rejects.toThrow(message);
      session.close();
    }
  });

  test("experts that start as a dense layer give the dense model's loss", async () => {
    const dense = languageModel({ ...config, moe: { ...moe, denseLayers: [0, 1] } }, router);
    const { reader, loss } = await trained(dense);
    // A dense layer is as wide as the experts that are active together.
    const wide = languageModel({ ...config, moe: { ...moe, hidden: 24, balanceLoss: 0 } }, linearRouter());
    const session = await openSession(await testGpu(), wide, settings);
    await expect(startFrom(wide, session.state.parameters, reader)).rejects.toThrow(/--upcycle starts every expert/);
    const kept = await startFrom(wide, session.state.parameters, reader, { upcycle: true });
    expect(kept).toEqual(["model.layers.0.mlp.gate.weight", "model.layers.1.mlp.gate.weight"]);
    expect((await session.evaluate(batch)).loss).toBeCloseTo(loss, 5);
    await (await session.step([batch], 0.05, 1)).values;
    const experts = await readTensor(leaves<DeviceTensor>(session.state.parameters.blocks[0]!.experts!)[0]![1]);
    const size = experts.length / 4;
    expect(experts.subarray(0, size)).not.toEqual(experts.subarray(size, 2 * size));
    session.close();
  });
});
