import { loadFigures } from "@webmoe/inspect";
import type { StepValues } from "./session";

/** What metrics.jsonl keeps of a step's routing: the mean balance loss, and lists with a figure for each MoE layer. */
export function routerMetrics({ balanceLoss, balance, entropy, load, dropped }: StepValues, topK: number) {
  const figures = load.map((counts) => loadFigures(counts, topK));
  return {
    balanceLoss,
    balance,
    entropy,
    maxLoad: figures.map((layer) => layer.maxLoad),
    dead: figures.map((layer) => layer.dead),
    load,
    ...(dropped && { dropped }),
  };
}
