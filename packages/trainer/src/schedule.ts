import type { TrainSettings } from "./settings";

type Schedule = TrainSettings["schedule"];

/**
 * The height of each course between the peak (1) and the end (0), for progress t from 0 to 1 after the warm-up. "wsd" stays
 * at the peak until the last steps (Hu et al. 2024, MiniCPM, arXiv 2404.06395, section 4).
 */
const courses: Record<Schedule["name"], (t: number, decayFrom: number) => number> = {
  constant: () => 1,
  cosine: (t) => 0.5 * (1 + Math.cos(Math.PI * t)),
  linear: (t) => 1 - t,
  wsd: (t, decayFrom) => (t <= decayFrom ? 1 : (1 - t) / (1 - decayFrom)),
};

/** The learning rate of a step, counted from 1: a linear warm-up, then the schedule's course down to the minimum. */
export function learningRate(
  step: number,
  { optimizer, schedule, train }: Pick<TrainSettings, "optimizer" | "schedule" | "train">,
): number {
  const { lr } = optimizer;
  const { name, warmup, minLr, decay } = schedule;
  if (step <= warmup) return (lr * step) / warmup;
  const steps = Math.max(1, train.steps - warmup);
  const progress = Math.min(1, (step - warmup) / steps);
  const decayFrom = Math.max(0, 1 - (decay * train.steps) / steps);
  return lr * (minLr + (1 - minLr) * courses[name](progress, decayFrom));
}
