import { tmpdir } from "node:os";
import { join } from "node:path";
import { collapseWatch } from "@webmoe/inspect";
import type { LanguageModel } from "@webmoe/model";
import { openSession, type Session, stepRecord } from "@webmoe/trainer";
import { createRun } from "@webmoe/trainer/node";
import type { Gpu } from "@webmoe/webgpu";
import type { Config } from "../config/schema";
import { temporaryFolder } from "../temporary-folder";
import { compareStretches, type StretchCost, type StretchOptions } from "./compare-stretches";
import { randomBatches } from "./random-batches";
import { type Subject, subjectOf } from "./subject";

/** What it costs a step to say, and to write down, what its routers did. */
export interface MetricsCost extends Subject, StretchCost {
  /** Kernel calls of a step without the figures, and with them. */
  dispatches: [number, number];
}

/**
 * Train one model twice in turns, a stretch of steps that read the loss alone and one that reads what the routers did,
 * watches for a collapse, and appends a line to metrics.jsonl each step.
 */
export async function timeMetrics(
  gpu: Gpu,
  model: LanguageModel,
  config: Config,
  options: StretchOptions,
): Promise<MetricsCost> {
  const folder = temporaryFolder(join(tmpdir(), "webmoe-metrics-"));
  const store = await createRun(join(folder.path, "run"), { config });
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
    return {
      ...subjectOf(gpu, model, config),
      ...(await compareStretches(
        (steps) => stretch(plain, steps),
        (steps) => stretch(full, steps),
        options,
      )),
      dispatches: [plain.stats.dispatches, full.stats.dispatches],
    };
  } finally {
    plain.close();
    full.close();
    await store.close();
    folder.remove();
  }
}
