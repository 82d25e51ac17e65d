import type { TrainSettings } from "../settings";
import type { Probe } from "./probe-speed";

/** Seconds of a run by what they are for. */
export interface TimeEstimate {
  /** Before the first step. */
  start: number;
  /** Of all steps. */
  steps: number;
  /** Of all validations, the last one included. */
  validations: number;
  /** Of all checkpoints, the last one included. */
  checkpoints: number;
  /** Of all samples, the last one included. */
  samples: number;
  /** Of all these. */
  total: number;
}

/** What a run takes at the speed of a probe; `sampleEvery`: steps between samples, 0 for one at the end alone. */
export function estimateTime(
  probe: Probe,
  { train, validation, checkpoint }: Pick<TrainSettings, "train" | "validation" | "checkpoint">,
  sampleEvery = 0,
): TimeEstimate {
  /** How often something comes at every so many steps, and at the end. */
  const often = (every: number) => 1 + (every > 0 ? Math.floor((train.steps - 1) / every) : 0);
  const steps = train.steps * probe.secondsPerStep;
  const validations = often(validation.every) * probe.secondsPerValidation;
  const { minutes = 0 } = checkpoint;
  const timed = minutes > 0 ? 1 + Math.floor((steps + validations) / (60 * minutes)) : 1;
  const parts = {
    start: probe.secondsToOpen,
    steps,
    validations,
    checkpoints: Math.max(often(checkpoint.every), timed) * probe.secondsPerCheckpoint,
    samples: often(sampleEvery) * probe.secondsPerSample,
  };
  return { ...parts, total: Object.values(parts).reduce((sum, seconds) => sum + seconds, 0) };
}
