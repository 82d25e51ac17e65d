import { expect, test } from "vitest";
import { bytes, duration, shortNumber } from "./format";

test("numbers are short, with a unit where they have one", () => {
  expect([175_123, 1_234_567, 12].map((value) => shortNumber(value))).toEqual(["175k", "1.23M", "12"]);
  expect([381e6, 12].map((value) => shortNumber(value, "FLOP"))).toEqual(["381 MFLOP", "12 FLOP"]);
  expect([13_001_140, 0].map(bytes)).toEqual(["13 MB", "0 B"]);
  expect([5, 75, 3700].map(duration)).toEqual(["5 s", "1 min 15 s", "1 h 1 min"]);
});
