import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { terminalChart } from "./terminal-chart";

const line = (run: string, ...values: number[]) => ({ run, points: values.map((y, x) => ({ x, y })) });

test("without colours each line has a mark", () => {
  const drawn = terminalChart("loss", [line("a", 4, 0), line("b", 0, 4)], { width: 16, height: 5, colors: false });
  expect(stripVTControlCharacters(drawn)).toBe(
    [
      "loss",
      "4.0 ┤**       oo",
      "3.0 ┤  **   oo",
      "2.0 ┤    ooo",
      "1.0 ┤  oo   **",
      "0.0 ┤oo       **",
      "    └───────────",
      "     0  step   1",
      "     * a   o b",
    ].join("\n"),
  );
});

test("with colours a cell has eight dots, and no line is longer than the terminal is wide", () => {
  const values = Array.from({ length: 500 }, (_, i) => Math.sin(i / 30));
  const drawn = terminalChart("loss", [line("a", ...values)], { width: 60, height: 10, colors: true });
  const rows = stripVTControlCharacters(drawn).split("\n");
  expect(rows).toHaveLength(1 + 10 + 3);
  expect(Math.max(...rows.map((row) => row.length))).toBeLessThanOrEqual(60);
  const dots = [...drawn].filter((sign) => sign >= "\u2800" && sign <= "\u28ff");
  expect(dots.length).toBeGreaterThan(60);
});

test("a flat line is drawn", () => {
  expect(terminalChart("lr", [line("a", 1, 1, 1)], { width: 40, height: 4, colors: false })).toMatch(/┤\*{10,}/);
});
