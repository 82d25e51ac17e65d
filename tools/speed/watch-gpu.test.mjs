import { expect, test } from "vitest";
import { readSample, stateOf } from "./watch-gpu.mjs";

const line = (/** @type {number} */ sm, /** @type {string} */ reasons, celsius = 60) =>
  `2026/11/26 04:27:11.250, ${sm}, 2619, 512.25, ${celsius}, 0x00000000000000${reasons}`;
const sample = (/** @type {Parameters<typeof line>} */ ...given) =>
  /** @type {import("./watch-gpu.mjs").Sample} */ (readSample(line(...given)));

test("a line of nvidia-smi is a sample, and what it does not know is none", () => {
  expect(readSample(line(1980, "04"))).toEqual({
    at: new Date(2026, 10, 26, 4, 27, 11, 250).getTime(),
    sm: 1980,
    memory: 2619,
    watts: 512.25,
    celsius: 60,
    reasons: 4,
  });
  expect(readSample("Field “clocks_event_reasons.active” is not a valid field to query.")).toBeUndefined();
  expect(readSample("2026/11/26 04:27:11.250, [N/A], 2619, 512.25, 60, 0x04")).toBeUndefined();
});

test("the state of a GPU leaves out what it did while it was idle", () => {
  const state = stateOf([sample(345, "01"), sample(1980, "00"), sample(1005, "44", 80), sample(1020, "04")]);
  expect(state).toEqual({
    sm: { least: 1005, median: 1020 },
    memory: 2619,
    watts: 512.25,
    celsius: 80,
    slowed: { "power cap": 2 / 3, "heat (hardware)": 1 / 3 },
  });
  expect(stateOf([sample(345, "01")])).toBeUndefined();
});
