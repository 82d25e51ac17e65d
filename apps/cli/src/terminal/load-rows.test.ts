import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { loadRows } from "./load-rows";

const rows = (load: number[][]) => stripVTControlCharacters(loadRows(load)).split("\n");

test("a row per layer: four eighths are even, a dot is nothing", () => {
  expect(
    rows([
      [10, 10, 10, 10],
      [40, 0, 0, 0],
      [15, 5, 10, 10],
    ]),
  ).toEqual([
    "expert load (▄ = even share, 25.0 %)",
    "layer 0  ▄▄ ▄▄ ▄▄ ▄▄  25.0 to 25.0 %",
    "layer 1  ██ ·· ·· ··  0.0 to 100.0 %",
    "layer 2  ▆▆ ▂▂ ▄▄ ▄▄  12.5 to 37.5 %",
  ]);
});

test("one token of many is seen", () => {
  expect(rows([[1, 9999]])[1]).toContain("▁▁ ██");
});

test("layers without tokens are dots", () => {
  expect(rows([[0, 0]])[1]).toBe("layer 0  ·· ··  0.0 to 0.0 %");
});

test.each([1, 8, 16, 18, 19, 27, 28, 54, 55, 64, 128, 256])(
  "%i experts fit into 80 columns and are all there",
  (experts) => {
    const lines = rows(Array.from({ length: 12 }, () => new Array<number>(experts).fill(5)));
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
    const bars = lines.slice(1).join("").match(/▄/g)!.length;
    expect([12 * experts, 24 * experts]).toContain(bars);
  },
);
