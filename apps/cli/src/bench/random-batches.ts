import { batchAt } from "@webmoe/data";
import type { Config } from "../config/schema";

/** A function from a step to its micro-batches of random tokens. */
export function randomBatches({ model: { context, vocab }, batch }: Config) {
  const tokens = Uint32Array.from({ length: 1 << 16 }, (_, i) => (Math.imul(i + 1, 2654435761) >>> 0) % vocab);
  return (step: number) =>
    Array.from({ length: batch.accumulate }, (_, micro) =>
      batchAt(tokens, { seed: 1, step, micro, batch: batch.size, context }),
    );
}
