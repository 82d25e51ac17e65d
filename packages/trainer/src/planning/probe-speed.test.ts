import { languageModel } from "@webmoe/model";
import { linearRouter } from "@webmoe/router-linear";
import { testGpu } from "@webmoe/webgpu/testing";
import { describe, expect, test } from "vitest";
import { memoryRun } from "../checkpoint/memory-run";
import type { RunStore } from "../checkpoint/run-store";
import { trainSettings } from "../settings";
import { estimateTime } from "./estimate-time";
import { probeSpeed } from "./probe-speed";

const moe = { experts: 4, topK: 2, hidden: 8, balanceLoss: 0.01, zLoss: 0 };
const model = languageModel({ vocab: 64, dim: 16, layers: 1, heads: 2, context: 16, moe }, linearRouter());
const settings = trainSettings({ train: { steps: 2 }, batch: { size: 2 }, validation: { batches: 1 } });
const tokens = Uint32Array.from({ length: 1000 }, (_, i) => i % 64);
const data = { train: tokens.subarray(0, 900), validation: tokens.subarray(900) };

test("a probe trains as a run does, however short that is, and the device stays open", {
  timeout: 120_000,
}, async () => {
  const gpu = await testGpu();
  const before = gpu.memoryUsed;
  const store = memoryRun();
  const saved: string[] = [];
  const watched: RunStore = {
    ...store,
    async saveCheckpoint(parts) {
      saved.push(...parts.model.map(({ name }) => name));
      return store.saveCheckpoint(parts);
    },
  };
  let sampled = false;
  const sample = async () => {
    sampled = true;
  };
  const probe = await probeSpeed(gpu, { model, settings, data, store: watched, sample });
  expect(probe.steps).toBeGreaterThanOrEqual(3);
  expect(store.metrics.length).toBeGreaterThanOrEqual(probe.steps);
  const { secondsToOpen, secondsPerStep, secondsPerValidation, secondsPerCheckpoint } = probe;
  for (const seconds of [secondsToOpen, secondsPerStep, secondsPerValidation, secondsPerCheckpoint]) {
    expect(seconds).toBeGreaterThan(0);
  }
  expect(sampled).toBe(true);
  expect(saved).toContain("lm_head.weight");
  gpu.check();
  expect(gpu.memoryUsed).toBe(before);
});

describe("an estimate", () => {
  const probe = {
    secondsToOpen: 2,
    steps: 10,
    secondsPerStep: 0.5,
    secondsPerValidation: 3,
    secondsPerCheckpoint: 7,
    secondsPerSample: 11,
  };
  const of = (changes: Parameters<typeof trainSettings>[0], sampleEvery = 0) =>
    estimateTime(probe, trainSettings({ train: { steps: 100 }, ...changes }), sampleEvery);

  test("counts what comes at the end and in between, and not twice at the last step", () => {
    expect(of({})).toEqual({ start: 2, steps: 50, validations: 3, checkpoints: 7, samples: 11, total: 73 });
    const often = of({ validation: { every: 50 }, checkpoint: { every: 30 } }, 25);
    expect(often).toMatchObject({ validations: 2 * 3, checkpoints: 4 * 7, samples: 4 * 11 });
  });

  test("counts a checkpoint every so many minutes", () => {
    expect(of({ train: { steps: 1000 }, checkpoint: { minutes: 2 } }).checkpoints).toBe((1 + 4) * 7);
  });
});
