import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { collapseWatch } from "@webmoe/inspect";
import type { LanguageModel } from "@webmoe/model";
import { openSession, type Session, stepRecord } from "@webmoe/trainer";
import { createRun } from "@webmoe/trainer/node";
import { adapterName, type Gpu } from "@webmoe/webgpu";
import type { Config } from "../config/schema";
import { randomBatches } from "./random-batches";

/** What it costs a step to say, and to write down, what its routers did. */
export interface MetricsCost {
  preset: string;
  router: string;
  precision: Config["precision"];
  adapter: string;
  /** Pairs of a stretch of steps without the figures and one with them, and how many steps a stretch has. */
  pairs: number;
  stepsPerStretch: number;
  /** Medians over the stretches. */
  msWithout: number;
  msWith: number;
  /** Median over the pairs of what the second stretch takes more than the first, as a share of the first. */
  cost: number;
  /** The quarter and the three quarters of the pairs' shares. */
  spread: [low: number, high: number];
  /** Kernel calls of a step without the figures, and with them. */
  dispatches: [number, number];
}

/** How long to measure. */
export interface TimeMetricsOptions {
  /** Steps of a stretch; without it as many as fill a fifth of a second. */
  steps?: number;
  pairs?: number;
  /** Milliseconds of steps before those that count. */
  warmUp: number;
}

/**
 * Train one model twice in turns, a stretch of steps that read the loss alone and one that reads what the routers did,
 * watches for a collapse, and appends a line to metrics.jsonl each step.
 */
export async function timeMetrics(
  gpu: Gpu,
  model: LanguageModel,
  config: Config,
  { steps, pairs = 21, warmUp }: TimeMetricsOptions,
): Promise<MetricsCost> {
  const folder = await mkdtemp(join(tmpdir(), "webmoe-metrics-"));
  const store = await createRun(join(folder, "run"), { config });
  const [plain, full] = [
    await openSession(gpu, model, config, { routing: false }),
    await openSession(gpu, model, config),
  ];
  const batches = randomBatches(config);
  const { lr } = config.optimizer;
  const { topK } = model.config.moe;
  const collapse = collapseWatch(model.config.moe);
  let step = 0;

  /** Milliseconds a step, each step's figures taken when the next is queued, as the trainer does. */
  async function stretch(session: Session, count: number): Promise<number> {
    const start = performance.now();
    let pending: ReturnType<Session["step"]> | undefined;
    const settle = async () => {
      const figures = await (await pending!).values;
      if (session === plain) return;
      const elapsedSeconds = (performance.now() - start) / 1000;
      await store.appendMetrics(stepRecord({ step, lr, tokensPerSecond: 0, elapsedSeconds }, figures, topK));
      collapse.see(figures.load);
    };
    for (let done = 0; done < count; done++) {
      step++;
      const next = session.step(batches(step), lr, step);
      await next;
      if (pending) await settle();
      pending = next;
    }
    await settle();
    return (performance.now() - start) / count;
  }

  try {
    for (const session of [plain, full]) await stretch(session, 2);
    for (const start = performance.now(); performance.now() - start < warmUp; ) await stretch(full, 2);
    const stepsPerStretch = steps ?? Math.max(3, Math.ceil(200 / (await stretch(plain, 5))));
    const without: number[] = [];
    const having: number[] = [];
    for (let pair = 0; pair < pairs; pair++) {
      // Whoever comes second may find the device warmer, so they take turns.
      const order = pair % 2 === 0 ? [plain, full] : [full, plain];
      for (const session of order) (session === plain ? without : having).push(await stretch(session, stepsPerStretch));
    }
    const costs = without.map((ms, pair) => having[pair]! / ms - 1);
    return {
      preset: config.preset,
      router: model.router.name,
      precision: config.precision,
      adapter: adapterName(gpu.adapter),
      pairs,
      stepsPerStretch,
      msWithout: quantile(without, 0.5),
      msWith: quantile(having, 0.5),
      cost: quantile(costs, 0.5),
      spread: [quantile(costs, 0.25), quantile(costs, 0.75)],
      dispatches: [plain.stats.dispatches, full.stats.dispatches],
    };
  } finally {
    plain.close();
    full.close();
    await store.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** The value below which a share of the others lies. */
function quantile(values: number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.round(share * (sorted.length - 1))]!;
}
