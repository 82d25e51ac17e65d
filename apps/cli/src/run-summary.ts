import { basename, join } from "node:path";
import { openRun } from "@webmoe/trainer/node";
import { type MetricsLine, metricsLines } from "./metrics-lines";

/** What a run is and how far it came. */
export interface RunSummary {
  name: string;
  preset: string;
  router: string;
  /** Last step with figures, and how many were asked for. */
  step: number;
  steps: number;
  /** Cross entropy of the last step, in nats; undefined before there is one, null where it was no finite number. */
  loss?: number | null;
  /** The figures of the last validation, as metrics.jsonl has them. */
  validation?: Record<string, number>;
  tokensPerSecond?: number;
  elapsedSeconds?: number;
}

/** Read a run's configuration and its metrics, line by line. Throws where the folder is not a run's. */
export async function summarizeRun(path: string): Promise<RunSummary> {
  const { config } = (await (await openRun(path)).readConfig()) as { config: Record<string, unknown> };
  const part = (name: string) => (config[name] ?? {}) as Record<string, unknown>;
  let last: MetricsLine | undefined;
  let validation: MetricsLine | undefined;
  for await (const line of metricsLines(join(path, "metrics.jsonl"))) {
    if (line.split === undefined) last = line;
    else if (line.split === "validation") validation = line;
  }
  return {
    name: basename(path),
    preset: String(config.preset ?? ""),
    router: String(part("router").name ?? ""),
    step: last?.step ?? 0,
    steps: Number(part("train").steps ?? 0),
    loss: last?.loss,
    validation,
    tokensPerSecond: last?.tokensPerSecond,
    elapsedSeconds: last?.elapsedSeconds,
  };
}
