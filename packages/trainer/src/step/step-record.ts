import { loadFigures } from "@webmoe/inspect";
import type { StepValues } from "./step-values";

/** When a step was, and how fast. */
export interface StepTiming {
  /** Number of the step, from 1. */
  step: number;
  /** Its learning rate. */
  lr: number;
  /** Tokens trained on per second since the step before. */
  tokensPerSecond: number;
  /** Seconds since the run began. */
  elapsedSeconds: number;
}

/** A step's line in metrics.jsonl. */
export function stepRecord({ step, lr, ...timing }: StepTiming, figures: StepValues, topK: number) {
  return {
    step,
    loss: figures.loss,
    lr,
    gradNorm: figures.gradNorm,
    ...timing,
    ...(figures.lossScale !== undefined && { lossScale: figures.lossScale, skipped: figures.skipped }),
    router: routerMetrics(figures, topK),
  };
}

/** What metrics.jsonl keeps of a step's routing: the mean balance loss, and lists with a figure for each MoE layer. */
function routerMetrics({ balanceLoss, balance, entropy, load, dropped }: StepValues, topK: number) {
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
