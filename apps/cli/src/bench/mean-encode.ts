import type { ProgramStats } from "@webmoe/webgpu";

/** Milliseconds that the host took to encode and submit a run, on average since `before`. */
export function meanEncodeMs(before: Pick<ProgramStats, "runs" | "encodeMs">, after: typeof before): number {
  return (after.encodeMs - before.encodeMs) / Math.max(1, after.runs - before.runs);
}
