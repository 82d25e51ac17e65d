import { languageModel } from "@webmoe/model";
import { recurrentRouter } from "@webmoe/router-recurrent";
import { testGpu } from "@webmoe/webgpu/testing";
import { expect, test } from "vitest";
import { memoryRun } from "../checkpoint/memory-run";
import { trainSettings } from "../settings";
import { deeper, probeRun } from "./probe-run";

const moe = { experts: 2, topK: 1, hidden: 8, balanceLoss: 0.01, zLoss: 0, denseLayers: [0, 5] };
const model = languageModel({ vocab: 16, dim: 8, layers: 6, heads: 1, context: 8, moe }, recurrentRouter({ dim: 8 }));
const settings = trainSettings({ train: { steps: 2 }, batch: { size: 1 }, validation: { batches: 1 } });
const tokens = Uint32Array.from({ length: 400 }, (_, i) => i % 16);
const data = { train: tokens.subarray(0, 300), validation: tokens.subarray(300) };

/** Probe with the claim that a step takes so many kernel calls; returns the depths of the models that were sampled, too. */
async function probed(dispatches: number) {
  const sampled: number[] = [];
  const options = {
    ...{ model, settings, data, store: memoryRun() },
    sample: async (_: unknown, { config }: { config: { layers: number } }) => sampled.push(config.layers),
  };
  const probe = await probeRun(await testGpu(), options, { flops: 0, dispatches, seconds: 7 });
  return { probe, sampled };
}

test("a run with long steps is probed by two with fewer layers, others by themselves", {
  timeout: 120_000,
}, async () => {
  const long = await probed(1e6);
  expect(long.sampled).toEqual([1, 2]);
  expect(long.probe.layers).toEqual([1, 2]);
  expect(long.probe.secondsToOpen).toBeGreaterThan(14);
  expect(long.probe.secondsPerStep).toBeGreaterThan(0);
  const short = await probed(10);
  expect(short.sampled).toEqual([6]);
  expect(short.probe.layers).toBeUndefined();
});

test("each further layer counts as those between the two", () => {
  const probe = { secondsToOpen: 1, steps: 3, secondsPerStep: 2, secondsPerValidation: 3 };
  const shallow = { ...probe, secondsPerCheckpoint: 5, secondsPerSample: 0 };
  const deep = { ...shallow, steps: 4, secondsPerStep: 3, secondsPerCheckpoint: 4 };
  expect(deeper(shallow, deep, { few: 2, more: 4, layers: 100 })).toEqual({
    ...{ steps: 7, layers: [2, 4] },
    secondsPerStep: 3 + 96 * 0.5,
    secondsPerValidation: 3,
    secondsPerCheckpoint: 4, // a deeper model is no faster
    secondsPerSample: 0,
  });
});
