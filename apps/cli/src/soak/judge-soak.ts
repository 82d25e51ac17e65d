import { mean } from "../statistics";
import { compareQuarters, type Paces } from "./pace";
import type { Stretch } from "./step-timer";

/** Most growth of memory that passes, in bytes a step, and most difference in speed from beginning to end. */
const LIMITS = { bytesPerStep: 1024, speed: 0.05 };

/** Memory after a step, in bytes. */
export interface MemoryLook {
  step: number;
  /** What the process holds, and what webmoe holds on the device. */
  host: number;
  device: number;
}

/** Whether memory stayed flat and speed the same. */
export interface SoakVerdict {
  hostBytesPerStep: number;
  deviceBytesPerStep: number;
  /** Of quarters, and of every stretch. */
  tokensPerSecond: Paces & { stretches: number[] };
  flat: boolean;
  steady: boolean;
  /** What is wrong, in words. */
  fault?: string;
}

/** Judge a long run by its memory and by the time that its steps took. */
export function judgeSoak(looks: MemoryLook[], stretches: Stretch[], tokensPerStep: number): SoakVerdict {
  const [host, device] = [slope(looks, "host"), slope(looks, "device")];
  const paces = compareQuarters(stretches, tokensPerStep);
  const flat = Math.max(host, device) < LIMITS.bytesPerStep;
  const steady = Math.abs(paces.change) < LIMITS.speed;
  const fault = !flat
    ? `memory grew by ${Math.max(host, device).toFixed(0)} bytes a step, more than 1 KiB`
    : !steady
      ? `the speed changed by ${percent(paces.change)}, more than 5 %`
      : undefined;
  const speeds = stretches.map(({ steps, seconds }) => Math.round((tokensPerStep * steps) / seconds));
  return {
    hostBytesPerStep: host,
    deviceBytesPerStep: device,
    tokensPerSecond: { ...paces, stretches: speeds },
    flat,
    steady,
    fault,
  };
}

/** A change with its sign: "-1.5 %". */
export const percent = (share: number) => `${share < 0 ? "" : "+"}${(100 * share).toFixed(1)} %`;

/** Slope of the line through the looks with the least squared error: sum (s - S)(m - M) / sum (s - S)^2. */
function slope(looks: MemoryLook[], of: "host" | "device"): number {
  const [step, memory] = [mean(looks.map((look) => look.step)), mean(looks.map((look) => look[of]))];
  const above = looks.reduce((sum, look) => sum + (look.step - step) * (look[of] - memory), 0);
  const below = looks.reduce((sum, look) => sum + (look.step - step) ** 2, 0);
  return below > 0 ? above / below : 0;
}
