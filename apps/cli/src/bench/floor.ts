import type { Peaks } from "./peaks";
import type { StepResult } from "./time-steps";

/** Bytes that AdamW moves a parameter: the gradient in; parameter and both moments in and out. */
const ADAMW_BYTES = 28;

/** The least a step can take on a device, in milliseconds. */
export interface Floor {
  /** All multiplications and additions at the rate of the device's best matrix product. */
  arithmeticMs: number;
  /** The update of all parameters at the rate at which memory can be read and written. */
  bandwidthMs: number;
}

/** The floor of a step whose size is known, on a device whose peaks are. */
export function stepFloor(step: Pick<StepResult, "flopsPerStep" | "parameters" | "precision">, peaks: Peaks): Floor {
  return {
    arithmeticMs: (step.flopsPerStep / peaks.flops[step.precision]) * 1000,
    bandwidthMs: ((ADAMW_BYTES * step.parameters) / peaks.bytes) * 1000,
  };
}
