import { expect, test } from "vitest";
import { bytes, duration, shortNumber } from "./format";

test("short numbers have three figures and round up into the next unit", () => {
  expect([0, 0.1234, 7, 999, 1000, 12_345, 999_499, 999_600, 1_234_567, 8e12].map(shortNumber)).toEqual([
    ..."0 0.123 7 999 1k 12.3k 999k 1M 1.23M 8T".split(" "),
  ]);
});

test("bytes are in binary units", () => {
  expect([0, 512, 1536, 3 * 2 ** 20, 141 * 2 ** 30].map(bytes)).toEqual([
    "0 B",
    "512 B",
    "1.5 KiB",
    "3 MiB",
    "141 GiB",
  ]);
});

test("durations never show sixty seconds or minutes", () => {
  expect([0, 42.4, 59.7, 75, 3599.6, 7620].map(duration)).toEqual(["0s", "42s", "1m00s", "1m15s", "1h00m", "2h07m"]);
});
