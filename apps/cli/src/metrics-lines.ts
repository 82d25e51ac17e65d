import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";

/** A line of metrics.jsonl: figures of a step, or with `split` those of a validation. */
export type MetricsLine = Record<string, number> & { split?: string };

/** The records of a metrics file; none where it is missing, and a line that a crash cut off is passed over. */
export async function* metricsLines(file: string): AsyncGenerator<MetricsLine> {
  const stream = createReadStream(file);
  const missing = new Promise<boolean>((resolve) => {
    stream.once("open", () => resolve(false));
    stream.once("error", () => resolve(true));
  });
  if (await missing) return;
  for await (const text of createInterface({ input: stream })) {
    try {
      yield JSON.parse(text) as MetricsLine;
    } catch {}
  }
}
