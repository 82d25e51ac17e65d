// What an NVIDIA GPU says of itself while something runs on it, where `nvidia-smi` exists.

import { spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";

/**
 * @typedef {{ at: number, sm: number, memory: number, watts: number, celsius: number, reasons: number }} Sample
 * MHz of both clocks, and the bits of why the clock is not higher
 * @typedef {{ sm: { least: number, median: number }, memory: number, watts: number, celsius: number, slowed: Record<string, number> }} GpuState
 * medians but for the temperature, which is the highest, and for how much of the time the clock was held back by what
 */

const FIELDS = "timestamp,clocks.sm,clocks.mem,power.draw,temperature.gpu";
/** Bits that say why the clock is not higher: the names of their field in drivers of today and before. */
const REASON_FIELDS = ["clocks_event_reasons.active", "clocks_throttle_reasons.active"];
/** It is also set while a program works that uses Vulkan and not CUDA, so watts have a say in it. */
const IDLE = 0x1;
/** What an idle GPU takes at most, as a multiple of the least that it was seen to take. */
const IDLE_WATTS = 1.5;
const REASONS = /** @type {const} */ ({
  2: "application clocks",
  4: "power cap",
  8: "hardware slowdown",
  16: "sync boost",
  32: "heat (software)",
  64: "heat (hardware)",
  128: "power brake",
  256: "display clocks",
});

/** Watch the first GPU five times a second; undefined where there is no `nvidia-smi` that can. */
export function watchGpu() {
  const query = (/** @type {string} */ reasons) => [
    "--id=0",
    `--query-gpu=${FIELDS},${reasons}`,
    "--format=csv,noheader,nounits",
  ];
  const field = REASON_FIELDS.find((name) => {
    const { status, stdout } = spawnSync("nvidia-smi", query(name), { encoding: "utf8" });
    return status === 0 && readSample(stdout.trim());
  });
  if (!field) return undefined;
  /** @type {Sample[]} */
  const samples = [];
  const child = spawn("nvidia-smi", [...query(field), "--loop-ms=200"], { stdio: ["ignore", "pipe", "ignore"] });
  createInterface({ input: child.stdout }).on("line", (line) => {
    const sample = readSample(line);
    if (sample) samples.push(sample);
  });
  return {
    /** The state between two times, in milliseconds of the epoch. @param {number} begin @param {number} end */
    between: (begin, end) => stateOf(samples, begin, end),
    stop: () => child.kill(),
  };
}

/** @param {string} line of nvidia-smi @returns {Sample | undefined} */
export function readSample(line) {
  const [time = "", ...values] = line.split(",").map((value) => value.trim());
  const at = new Date(time.replaceAll("/", "-").replace(" ", "T")).getTime();
  const [sm, memory, watts, celsius, reasons] = values.map(Number);
  if (!Number.isFinite(at) || !sm || reasons === undefined || Number.isNaN(reasons)) return undefined;
  return { at, sm, memory: memory ?? Number.NaN, watts: watts ?? Number.NaN, celsius: celsius ?? Number.NaN, reasons };
}

/** What the samples between two times say together, those of an idle GPU left out. @param {Sample[]} samples @param {number} begin @param {number} end @returns {GpuState | undefined} */
export function stateOf(samples, begin, end) {
  const idle = IDLE_WATTS * Math.min(...samples.map(({ watts }) => watts));
  const busy = samples.filter(
    ({ at, reasons, watts }) => at >= begin && at <= end && !(reasons & IDLE && watts < idle),
  );
  if (busy.length === 0) return undefined;
  const sorted = (/** @type {"sm" | "memory" | "watts" | "celsius"} */ key) =>
    busy.map((sample) => sample[key]).toSorted((a, b) => a - b);
  const median = (/** @type {number[]} */ values) => values[Math.floor(values.length / 2)] ?? Number.NaN;
  const share = (/** @type {string} */ bit) => busy.filter(({ reasons }) => reasons & Number(bit)).length / busy.length;
  const slowed = Object.entries(REASONS).map(([bit, name]) => /** @type {const} */ ([name, share(bit)]));
  return {
    sm: { least: sorted("sm")[0] ?? Number.NaN, median: median(sorted("sm")) },
    memory: median(sorted("memory")),
    watts: median(sorted("watts")),
    celsius: sorted("celsius").at(-1) ?? Number.NaN,
    slowed: Object.fromEntries(slowed.filter(([, part]) => part > 0)),
  };
}
