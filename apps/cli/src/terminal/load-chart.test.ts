import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { loadChart } from "./load-chart";

const lines = (load: number[][], width?: number) => stripVTControlCharacters(loadChart(load, width)).split("\n");

test("bars are a third of the width at an even share, with its mark behind shorter ones", () => {
  expect(lines([[10, 30, 0, 0]], 12)).toEqual([
    "expert load (│ = even share)",
    "layer 0, 2 of 4 unused",
    "    0 ████│         25.0 %",
    "    1 ████████████  75.0 %",
    "    2     │          0.0 %",
    "    3     │          0.0 %",
  ]);
});

test("a collapsed layer stays within its width, an empty one is no division by zero", () => {
  for (const line of lines([[1000, 0, 0, 0, 0, 0, 0, 0], new Array<number>(8).fill(0)])) {
    expect(line.length).toBeLessThan(80);
    expect(line).not.toContain("NaN");
  }
});

test("many experts get one row a layer", () => {
  const load = Array.from({ length: 12 }, () => new Array<number>(16).fill(3));
  expect(lines(load)).toHaveLength(13);
});
