import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { languageModel, type ModelConfig } from "@webmoe/model";
import { recurrentRouter } from "@webmoe/router-recurrent";
import { openGpu } from "@webmoe/webgpu/node";
import { describe, expect, test } from "vitest";
import { memoryRun } from "./checkpoint/memory-run";
import { createRun } from "./node";
import { type SettingsChanges, trainSettings } from "./settings";
import { type Report, type TrainOptions, train } from "./train";

const config: ModelConfig = {
  vocab: 256,
  dim: 16,
  layers: 2,
  heads: 2,
  context: 16,
  moe: { experts: 4, topK: 2, hidden: 12, balanceLoss: 0.01, zLoss: 0.001 },
};
const text = new TextEncoder().encode("It was the best of times, it was the worst of times. ".repeat(200));
const data = { train: text.subarray(0, 9000), validation: text.subarray(9000) };
const open = () => openGpu({ adapter: process.env.WEBMOE_TEST_ADAPTER });

interface Run extends Partial<Pick<TrainOptions, "store" | "resume">> {
  model?: Partial<ModelConfig>;
  settings: SettingsChanges;
  stopAt?: number;
}

async function run({ model = {}, settings, stopAt, ...options }: Run) {
  const stop = new AbortController();
  const reports: Report[] = [];
  const all = { batch: { size: 4 }, schedule: { warmup: 2 }, validation: { batches: 2 }, ...settings };
  for await (const report of train({
    open,
    model: languageModel({ ...config, ...model }, recurrentRouter({ dim: 8 })),
    settings: trainSettings(all),
    data,
    signal: stop.signal,
    ...options,
  })) {
    reports.push(report);
    if (report.kind === "step" && report.step === stopAt) stop.abort();
  }
  const losses = reports.flatMap((report) => (report.kind === "step" ? report.loss : []));
  const validation = reports.findLast((report) => report.kind === "validation");
  const ready = reports.find((report) => report.kind === "ready");
  return { losses, validation: validation?.loss, bytes: ready!.session.stats.bytes.activations };
}

describe("optimizers", () => {
  test.each([
    ["muon", { lr: 3e-3 }],
    ["sgd", { lr: 0.3 }],
  ] as const)("%s learns", async (name, options) => {
    const { losses } = await run({ settings: { train: { steps: 40 }, optimizer: { name, ...options } } });
    expect(losses.at(-1)).toBeLessThan(losses[0]! - 1);
  });

  test("muon needs a learning rate for the rest", async () => {
    await expect(run({ settings: { optimizer: { name: "muon", lr: 0 } } })).rejects.toThrow(
      "optimizer.lr: needs more than 0 for muon, got 0",
    );
  });
});

test("a resumed run with muon, dropout, jitter, averages and accumulation equals an unbroken one", async () => {
  const model = { dropout: 0.1, attentionDropout: 0.2, moe: { ...config.moe, dropout: 0.3, jitter: 0.1 } };
  const settings: SettingsChanges = {
    train: { steps: 8 },
    batch: { size: 2, accumulate: 2 },
    optimizer: { name: "muon" },
    ema: { decay: 0.9 },
    checkpoint: { every: 4 },
  };
  const folder = async () => createRun(join(await mkdtemp(join(tmpdir(), "webmoe-options-")), "run"), {});
  const unbroken = await folder();
  const whole = await run({ model, settings, store: unbroken });
  const broken = await folder();
  const first = await run({ model, settings, store: broken, stopAt: 3 });
  const second = await run({ model, settings, store: broken, resume: (await broken.latestCheckpoint())! });
  expect([...first.losses, ...second.losses]).toEqual(whole.losses);
  const [a, b] = [(await unbroken.latestCheckpoint())!, (await broken.latestCheckpoint())!];
  expect(a.optimizer.names().filter((name) => name.startsWith("averaged."))).toEqual(
    a.model.names().map((name) => `averaged.${name}`),
  );
  for (const name of a.optimizer.names())
    expect(await b.optimizer.read(name), name).toEqual(await a.optimizer.read(name));
});

test("averaged weights are decay times the average and the rest of the weights", async () => {
  const read = async (steps: number) => {
    const store = memoryRun();
    await run({
      settings: { train: { steps }, schedule: { name: "constant", warmup: 0 }, ema: { decay: 0.75 } },
      store,
    });
    const { model, optimizer } = (await store.latestCheckpoint())!;
    const values = (bytes: Uint8Array) => new Float32Array(Uint8Array.from(bytes).buffer);
    const name = "model.layers.0.self_attn.q_proj.weight";
    return { weight: values(await model.read(name)), average: values(await optimizer.read(`averaged.${name}`)) };
  };
  const [one, two] = [await read(1), await read(2)];
  two.average.forEach((value, i) => {
    expect(value).toBeCloseTo(0.75 * one.average[i]! + 0.25 * two.weight[i]!, 6);
  });
});

describe("dropout", () => {
  test.each<[string, Partial<ModelConfig>]>([
    ["model.dropout", { dropout: 0.5 }],
    ["model.attentionDropout", { attentionDropout: 0.5 }],
    ["moe.dropout", { moe: { ...config.moe, dropout: 0.5 } }],
    ["moe.dropout of shared experts", { moe: { ...config.moe, dropout: 0.5, sharedExperts: 1 } }],
    ["moe.dropout of dense layers", { moe: { ...config.moe, dropout: 0.5, denseLayers: [0] } }],
  ])("%s is off in evaluation, and a function of the seed in training", async (_, model) => {
    const settings: SettingsChanges = { train: { steps: 2 }, optimizer: { lr: 0 } };
    const off = { ...model, dropout: 0, attentionDropout: 0, moe: { ...config.moe, ...model.moe, dropout: 0 } };
    const without = await run({ model: off, settings });
    const with_ = await run({ model, settings });
    expect(with_.validation).toBe(without.validation);
    expect(with_.losses).not.toEqual(without.losses);
    expect((await run({ model, settings })).losses).toEqual(with_.losses);
  });
});

test("computing blocks again changes no loss and takes less memory", async () => {
  // Activations past what programs share, so that the second pass is really computed.
  const model = {
    dim: 64,
    context: 128,
    layers: 4,
    dropout: 0.1,
    attentionDropout: 0.1,
    moe: { ...config.moe, dropout: 0.1, hidden: 64, denseLayers: [1] },
  };
  const settings: SettingsChanges = { train: { steps: 2 }, batch: { size: 9 }, validation: { batches: 1 } };
  const kept = await run({ model, settings });
  const again = await run({ model, settings: { ...settings, memory: { recompute: true } } });
  expect(again.losses).toEqual(kept.losses);
  expect(again.validation).toBe(kept.validation);
  expect(again.bytes).toBeLessThan(0.8 * kept.bytes);
});
