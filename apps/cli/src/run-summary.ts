import { createReadStream } from "node:fs";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { openRun } from "@webmoe/trainer/node";

/** What a run is and how far it came. */
export interface RunSummary {
  name: string;
  preset: string;
  router: string;
  /** Last step with figures, and how many were asked for. */
  step: number;
  steps: number;
  /** Cross entropy of the last step, in nats; undefined before there is one. */
  loss?: number;
  /** The figures of the last validation, as metrics.jsonl has them. */
  validation?: Record<string, number>;
  tokensPerSecond?: number;
  elapsedSeconds?: number;
}

type Line = Record<string, number> & { split?: string };

/** Read a run's configuration and its metrics, line by line. Throws where the folder is not a run's. */
export async function summarizeRun(path: string): Promise<RunSummary> {
  const { config } = (await (await openRun(path)).readConfig()) as { config: Record<string, unknown> };
  const part = (name: string) => (config[name] ?? {}) as Record<string, unknown>;
  let last: Line | undefined;
  let validation: Line | undefined;
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

/** The records of a metrics file; none where it is missing, and a line that a crash cut off is passed over. */
async function* metricsLines(file: string): AsyncGenerator<Line> {
  const stream = createReadStream(file);
  const missing = new Promise<boolean>((resolve) => {
    stream.once("open", () => resolve(false));
    stream.once("error", () => resolve(true));
  });
  if (await missing) return;
  for await (const text of createInterface({ input: stream })) {
    try {
      yield JSON.parse(text) as Line;
    } catch {}
  }
}
