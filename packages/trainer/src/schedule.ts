import type { TrainSettings } from "./settings";

/** The learning rate of a step, counted from 1: linear warm-up, then constant or half a cosine down to the minimum. */
export function learningRate(
  step: number,
  { optimizer, schedule, train }: Pick<TrainSettings, "optimizer" | "schedule" | "train">,
): number {
  const { lr } = optimizer;
  const { name, warmup, minLr } = schedule;
  if (step <= warmup) return (lr * step) / warmup;
  if (name === "constant") return lr;
  const progress = Math.min(1, (step - warmup) / Math.max(1, train.steps - warmup));
  return lr * (minLr + (1 - minLr) * 0.5 * (1 + Math.cos(Math.PI * progress)));
}
