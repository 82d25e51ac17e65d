import type { Model } from "@webmoe/model";
import type { Session } from "./session";
import type { TrainSettings } from "./settings";
import { stepBatches, type Task } from "./task";

/** How fast a run goes on a device, from a few of its steps. */
export interface Probe {
  /** Steps that were timed. */
  steps: number;
  /** Mean over the timed steps. */
  secondsPerStep: number;
  /** Of a validation with all its batches; 0 where a run has none. */
  secondsPerValidation: number;
}

/** When a probe ends: an idle GPU takes a second or two to reach its clock rate, and a slow device takes longer for a step. */
const ENOUGH = { steps: 3, seconds: 3 };

/** Train a session for a few steps, which change its parameters, and see how long they take. */
export async function probeSpeed(session: Session, task: Task, model: Model, settings: TrainSettings): Promise<Probe> {
  const take = async (step: number) =>
    (await session.step(stepBatches(task, model, settings, step), settings.optimizer.lr, step)).values;
  await take(1); // the first one warms up
  let steps = 0;
  const start = performance.now();
  const elapsed = () => (performance.now() - start) / 1000;
  while (steps < ENOUGH.steps || elapsed() < ENOUGH.seconds) {
    await take(2 + steps);
    steps++;
  }
  const secondsPerStep = elapsed() / steps;
  return { steps, secondsPerStep, secondsPerValidation: await validationSeconds(session, task) };
}

async function validationSeconds(session: Session, { validation }: Task): Promise<number> {
  const [batch] = validation;
  if (!batch) return 0;
  await session.evaluate(batch);
  const start = performance.now();
  await session.evaluate(batch);
  return (validation.length * (performance.now() - start)) / 1000;
}

/** Seconds that all steps and validations of a run take at the speed of a probe. */
export function estimateSeconds({ secondsPerStep, secondsPerValidation }: Probe, settings: TrainSettings): number {
  const { train, validation } = settings;
  const inBetween = validation.every > 0 ? Math.floor((train.steps - 1) / validation.every) : 0;
  return train.steps * secondsPerStep + (1 + inBetween) * secondsPerValidation;
}
