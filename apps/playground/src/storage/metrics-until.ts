import { nextTask } from "../state/next-task";

/** What a line of metrics.jsonl says, as far as the page has use for it. */
export interface MetricsRecord {
  step: number;
  split?: string;
  loss: number;
  bitsPerByte?: number;
  gradNorm?: number;
  lr?: number;
  tokensPerSecond?: number;
  elapsedSeconds?: number;
  router?: { load?: number[][]; entropy?: number[] };
}

/** A line of metrics.jsonl, as it is and as it reads. */
export interface MetricsLine {
  line: string;
  record: MetricsRecord;
}

/** Milliseconds of reading after which the page may do something else. */
const SLICE = 10;

/** The lines of metrics.jsonl up to a step. Long runs have tens of thousands: the page stays free in between. */
export async function metricsUntil(text: string, step: number): Promise<MetricsLine[]> {
  const lines: MetricsLine[] = [];
  let end = performance.now() + SLICE;
  for (const line of text.split("\n")) {
    if (!line) continue;
    const record: MetricsRecord = JSON.parse(line);
    if (record.step <= step) lines.push({ line, record });
    if (performance.now() < end) continue;
    await nextTask();
    end = performance.now() + SLICE;
  }
  return lines;
}
