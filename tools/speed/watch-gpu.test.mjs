import { expect, test } from "vitest";
import { readSample, stateOf } from "./watch-gpu.mjs";

const line = (sm = 1980, reasons = "00", { seconds = 11, watts = 512.25, celsius = 60 } = {}) =>
  `2026/11/26 04:27:${seconds}.250, ${sm}, 2619, ${watts}, ${celsius}, 0x00000000000000${reasons}`;
const sample = (/** @type {Parameters<typeof line>} */ ...given) =>
  /** @type {import("./watch-gpu.mjs").Sample} */ (readSample(line(...given)));
const at = (/** @type {number} */ seconds) => new Date(2026, 10, 26, 4, 27, seconds).getTime();

test("a line of nvidia-smi is a sample, and what it does not know is none", () => {
  expect(readSample(line(1980, "04"))).toEqual({
    at: at(11) + 250,
    sm: 1980,
    memory: 2619,
    watts: 512.25,
    celsius: 60,
    reasons: 4,
  });
  expect(readSample("Field “clocks_event_reasons.active” is not a valid field to query.")).toBeUndefined();
  expect(readSample("2026/11/26 04:27:11.250, [N/A], 2619, 512.25, 60, 0x04")).toBeUndefined();
});

test("the state of a GPU leaves out what it did while it was idle, and at other times", () => {
  const samples = [
    sample(345, "01", { watts: 70 }),
    sample(690, "01", { watts: 98 }),
    sample(1005, "44", { celsius: 80 }),
    sample(1020, "04"),
    sample(1980, "01", { watts: 300 }),
    sample(500, "00", { seconds: 20 }),
  ];
  expect(stateOf(samples, at(11), at(12))).toEqual({
    sm: { least: 1005, median: 1020 },
    memory: 2619,
    watts: 512.25,
    celsius: 80,
    slowed: { "power cap": 2 / 3, "heat (hardware)": 1 / 3 },
  });
  expect(stateOf(samples.slice(0, 2), at(11), at(12))).toBeUndefined();
});
