import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { languageModel } from "@webmoe/model";
import { defineRouter } from "@webmoe/router";
import { recurrentRouter } from "@webmoe/router-recurrent";
import { type DeviceTensor, type Init, map, readTensor, reshape, valuesInit, writeTensor } from "@webmoe/tensor";
import type { Gpu } from "@webmoe/webgpu";
import { openGpu } from "@webmoe/webgpu/node";
import { describe, expect, test } from "vitest";
import { createRun, openRun, type RunFolder } from "./node";
import type { TrainSettings } from "./settings";
import { type Report, type TrainOptions, train } from "./train";

const model = languageModel(
  {
    vocab: 256,
    dim: 16,
    layers: 2,
    heads: 2,
    context: 16,
    moe: { experts: 4, topK: 2, hidden: 12, balanceLoss: 0.01, zLoss: 0.001 },
  },
  recurrentRouter({ dim: 8, init: "normal" }),
);
const settings: TrainSettings = {
  seed: 1,
  precision: "f32",
  train: { steps: 12 },
  batch: { size: 4, accumulate: 1 },
  optimizer: {
    name: "adamw",
    momentum: 0.95,
    matrixLr: 0.02,
    lr: 3e-3,
    beta1: 0.9,
    beta2: 0.95,
    eps: 1e-8,
    weightDecay: 0.1,
    decay: "matrices",
    clip: 1,
  },
  schedule: { name: "cosine", warmup: 3, decay: 0.2, minLr: 0.1 },
  ema: { decay: 0 },
  memory: { recompute: false },
  validation: { every: 0, batches: 2 },
  checkpoint: { every: 0, keep: 2 },
};
const text = new TextEncoder().encode("It was the best of times, it was the worst of times. ".repeat(40));
const data = { train: text.subarray(0, 1800), validation: text.subarray(1800) };
const open = () => openGpu({ adapter: process.env.WEBMOE_TEST_ADAPTER });

async function run({ stopAt, ...options }: Partial<TrainOptions> & { stopAt?: number }): Promise<Report[]> {
  const reports: Report[] = [];
  const stop = new AbortController();
  for await (const report of train({ open, model, settings, data, signal: stop.signal, ...options })) {
    reports.push(report);
    if (report.kind === "step" && report.step === stopAt) stop.abort();
  }
  return reports;
}

const losses = (reports: Report[]) => reports.flatMap((report) => (report.kind === "step" ? [report.loss] : []));
const folder = async () => createRun(join(await mkdtemp(join(tmpdir(), "webmoe-run-")), "run"), {});

describe("train", () => {
  test("two runs with one seed are identical, another seed is not", async () => {
    const first = await run({});
    expect(losses(first)).toHaveLength(12);
    expect(losses(await run({}))).toEqual(losses(first));
    expect(losses(await run({ settings: { ...settings, seed: 2 } }))).not.toEqual(losses(first));
  });

  test("a run waits before a step for as long as it is told to, and learns the same", async () => {
    let asked = 0;
    let waiting = false;
    const seen: number[] = [];
    const beforeStep = () => {
      asked++;
      if (asked !== 4) return undefined;
      waiting = true;
      return new Promise<void>((resolve) => {
        setTimeout(() => {
          waiting = false;
          resolve();
        }, 50);
      });
    };
    for await (const report of train({ open, model, settings, data, beforeStep })) {
      expect(waiting && report.kind === "step" && report.step > 3).toBe(false);
      if (report.kind === "step") seen.push(report.loss);
    }
    expect(asked).toBe(13);
    expect(seen).toEqual(losses(await run({})));
  });

  test("a run resumed from a checkpoint equals an unbroken one bit for bit", async () => {
    const unbroken = await folder();
    const whole = await run({ store: unbroken, settings: { ...settings, checkpoint: { every: 6, keep: 2 } } });
    const broken = await folder();
    const first = await run({ store: broken, stopAt: 5 });
    const resume = (await (await openRun(broken.path)).latestCheckpoint())!;
    expect(resume.step).toBe(losses(first).length);
    expect(resume.step).toBeLessThan(12);
    const second = await run({ store: broken, resume });
    expect([...losses(first), ...losses(second)]).toEqual(losses(whole));
    expect(await parameters(broken)).toEqual(await parameters(unbroken));
  });

  test("a lost device is replaced, up to three times, as if nothing had happened", async () => {
    const every = { ...settings, validation: { every: 4, batches: 2 }, checkpoint: { every: 5, keep: 2 } };
    const unbroken = await folder();
    const whole = await run({ store: unbroken, settings: every });
    const store = await folder();
    const devices: Gpu[] = [];
    const opening = async () => {
      devices.push(await open());
      return devices.at(-1)!;
    };
    const reports: Report[] = [];
    for await (const report of train({ open: opening, model, settings: every, data, store })) {
      reports.push(report);
      // While it computes, while a checkpoint is due, and right after another was lost.
      const losesAt = [3, 10].includes(report.kind === "step" ? report.step : 0);
      if (losesAt || (report.kind === "ready" && devices.length === 3)) devices.at(-1)!.device.destroy();
    }
    expect(devices).toHaveLength(4);
    const lost = reports.filter((report) => report.kind === "device-lost");
    expect(lost).toMatchObject([
      // The step after the third may still have been done.
      { from: 0, attempt: 1, message: expect.stringContaining("device lost (destroyed)") },
      { step: 10, from: 5, attempt: 2 },
      { step: 10, from: 5, attempt: 3 },
    ]);
    expect(losses(reports)).toEqual(losses(whole));
    expect(await parameters(store)).toEqual(await parameters(unbroken));
    expect(await figures(store)).toEqual(await figures(unbroken));

    const always = train({ open: opening, model, settings, data });
    const attempts: number[] = [];
    const failing = async () => {
      for await (const report of always) {
        if (report.kind === "ready") devices.at(-1)!.device.destroy();
        if (report.kind === "device-lost") attempts.push(report.attempt);
      }
    };
    await expect(failing()).rejects.toThrow(/device lost \(destroyed\)/);
    expect(attempts).toEqual([1, 2, 3]);
  });

  test("a step whose gradients are not finite changes nothing; ten in a row stop the run and say where it began", async () => {
    const store = await folder();
    const often = { ...settings, train: { steps: 40 }, checkpoint: { every: 4, keep: 3 } };
    const warnings: string[] = [];
    const breaking = async (heals: boolean, at: Partial<TrainOptions> = {}) => {
      const reports: Report[] = [];
      let head: DeviceTensor;
      let healthy: Float32Array;
      for await (const report of train({ open, model, settings: often, data, ...at })) {
        reports.push(report);
        if (report.kind === "ready") head = report.session.state.parameters.blocks[1]!.attention.output;
        if (report.kind === "checkpoint" && report.step === 8) {
          healthy = await readTensor(head!);
          writeTensor(head!, healthy.with(5, Number.NaN));
        }
        if (report.kind === "warning") warnings.push(`${report.step}: ${report.message}`);
        if (heals && report.kind === "step" && report.step === 11) writeTensor(head!, healthy!);
      }
      return reports;
    };
    const healed = await breaking(true, { store });
    // Step 12 may be on its way already; what follows learns from where step 8 ended.
    const told = [9, 10, 11].map((step, index) => `${step}: the loss is NaN (${index + 1} in a row)`);
    expect(warnings.slice(0, 3)).toEqual(told);
    expect(losses(healed).slice(12).every(Number.isFinite)).toBe(true);
    expect(losses(healed)[12]!).toBeLessThan(losses(healed)[0]!);

    const stopping = await folder();
    const each = { ...often, checkpoint: { every: 1, keep: 3 } };
    // What the checkpoint of step 8 holds may have broken step 9; it says so, and nothing is kept of the steps after.
    await expect(breaking(false, { store: stopping, settings: each })).rejects.toThrow(
      /the loss is NaN 10 steps in a row, from step 9 on: it began in the parameter blocks.1.attention.output; the last good checkpoint is .*step-00000007: start another run from it/,
    );
    expect((await stopping.latestCheckpoint())!.step).toBe(8);
    const train1 = { ...often, train: { steps: 40, onNan: "stop" as const } };
    await expect(breaking(false, { store: await folder(), settings: train1 })).rejects.toThrow(
      /NaN at step 9: it began/,
    );
  });

  test("a run that explodes stops too", async () => {
    const wild = { ...settings, train: { steps: 60 }, optimizer: { ...settings.optimizer, lr: 30 } };
    await expect(run({ settings: wild })).rejects.toThrow(
      /(exploded to|is NaN|is Infinity).* 10 steps in a row, from step \d+ on/,
    );
  });

  test("an interrupted run leaves a checkpoint and no figures that an unbroken one has not", async () => {
    const store = await folder();
    const reports = await run({ store, stopAt: 4 });
    expect(reports.map(({ kind }) => kind).slice(-2)).toEqual(["checkpoint", "done"]);
    expect(reports.some(({ kind }) => kind === "validation")).toBe(false);
  });

  test("mixed precision scales the loss, trains alike, and resumes with its scale", async () => {
    const mixed = { ...settings, precision: "mixed" as const };
    const whole = await run({ settings: mixed });
    const reports = whole.filter((report) => report.kind === "step");
    expect(reports.at(-1)).toMatchObject({ lossScale: 2 ** 16, skipped: 0 });
    const plain = losses(await run({}));
    // Exact on adapters without matrix units; with them, operands are rounded to f16.
    losses(whole).forEach((loss, step) => {
      expect(Math.abs(loss / plain[step]! - 1)).toBeLessThan(2e-3);
    });
    const store = await folder();
    const first = await run({ settings: mixed, store, stopAt: 5 });
    const second = await run({ settings: mixed, store, resume: (await store.latestCheckpoint())! });
    expect([...losses(first), ...losses(second)]).toEqual(losses(whole));
  });

  test("overfits one batch to below 0.05 nats", async () => {
    const one = text.subarray(0, 17);
    const reports = await run({
      data: { train: one, validation: one },
      settings: {
        ...settings,
        train: { steps: 150 },
        batch: { size: 1, accumulate: 1 },
        optimizer: { ...settings.optimizer, lr: 1e-2 },
      },
    });
    expect(losses(reports).at(-1)).toBeLessThan(0.05);
  });

  test("accumulated micro-batches give the mean of their losses and of their gradients", async () => {
    const two = await run({ settings: { ...settings, train: { steps: 1 }, batch: { size: 2, accumulate: 2 } } });
    const report = two.find((report) => report.kind === "step")!;
    expect(report.kind === "step" && report.load.map((row) => row.reduce((a, b) => a + b))).toEqual([128, 128]);
    expect(Number.isFinite(losses(two)[0])).toBe(true);
    const same = await run({ settings: { ...settings, train: { steps: 4 }, batch: { size: 2, accumulate: 3 } } });
    expect(losses(same)[3]).toBeLessThan(losses(same)[0]!);
  });

  test.each([1, 2])(
    "metrics have balance, entropy, the largest load and dead experts of each layer (%i a step)",
    async (accumulate) => {
      const store = await folder();
      const batch = { size: 4 / accumulate, accumulate };
      const [report] = await run({ store, settings: { ...settings, train: { steps: 1 }, batch } }).then((all) =>
        all.filter((report) => report.kind === "step"),
      );
      const [line] = (await readFile(join(store.path, "metrics.jsonl"), "utf8")).split("\n");
      const { router } = JSON.parse(line!);
      expect(router.balanceLoss).toBeCloseTo((router.balance[0] + router.balance[1]) / 2, 6);
      expect(router.entropy).toEqual(report!.entropy);
      for (const layer of [0, 1]) {
        // Small weights: nearly even probabilities, and so the balance loss is nearly 1 whatever the load.
        expect(router.entropy[layer]).toBeGreaterThan(0.999 * Math.log(4));
        expect(router.entropy[layer]).toBeLessThan(Math.log(4) + 1e-6);
        expect(router.balance[layer]).toBeCloseTo(1, 2);
        expect(router.maxLoad[layer]).toBe(Math.max(...router.load[layer]) / 64);
        expect(router.dead[layer]).toBe(router.load[layer].filter((count: number) => count === 0).length);
      }
    },
  );

  test("a router that collapses is said once", async () => {
    const stuck = defineRouter<Record<string, never>, { gate: Init }, undefined>({
      name: "stuck",
      init: ({ experts, layers }) => ({
        shared: {},
        layers: Array.from({ length: layers }, () => ({
          gate: valuesInit(
            [experts],
            Float32Array.from({ length: experts }, (_, expert) => -50 * expert),
          ),
        })),
      }),
      score: ({ layer, mask }) => ({
        logits: map("same", [layer.gate, reshape(mask, [mask.size, 1])], (gate, mask) => gate.mul(mask)),
      }),
    });
    const reports = await run({
      model: languageModel({ ...model.config, moe: { ...model.config.moe, topK: 1 } }, stuck),
      settings: { ...settings, train: { steps: 60 } },
    });
    const warnings = reports.filter((report) => report.kind === "warning");
    expect(warnings).toEqual([
      { kind: "warning", step: 50, message: expect.stringMatching(/^routing collapsed: .* layer 0/) },
    ]);
  });

  test("a checkpoint of another shape is refused by name", async () => {
    const store = await folder();
    await run({ store, settings: { ...settings, train: { steps: 1 } } });
    const resume = (await store.latestCheckpoint())!;
    const wider = languageModel({ ...model.config, dim: 24 }, recurrentRouter({ dim: 8 }));
    await expect(run({ model: wider, resume })).rejects.toThrow(
      /checkpoint: "model.embed_tokens.weight" needs shape \[256, 24\], got \[256, 16\]/,
    );
  });
});

/** What the metrics say, times left out. */
async function figures(store: RunFolder) {
  const lines = (await readFile(join(store.path, "metrics.jsonl"), "utf8")).trim().split("\n");
  return lines.map((line) => ({ ...JSON.parse(line), tokensPerSecond: 0, elapsedSeconds: 0 }));
}

async function parameters(store: RunFolder) {
  const { model: reader, optimizer } = (await store.latestCheckpoint())!;
  const all: Record<string, Uint8Array> = {};
  for (const part of [reader, optimizer]) for (const name of part.names()) all[name] = await part.read(name);
  return all;
}
