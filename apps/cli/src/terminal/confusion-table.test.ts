import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { confusionTable } from "./confusion-table";

const lines = (confusion: number[][], labels: string[]) =>
  stripVTControlCharacters(confusionTable(confusion, labels)).split("\n");

test("few classes are a matrix", () => {
  const table = lines(
    [
      [120, 3],
      [0, 7],
    ],
    ["ham", "spam"],
  );
  expect(table.slice(1)).toEqual(["        ham  spam", "  ham   120     3", "  spam    0     7"]);
});

test("of many classes the worst pairs are named", () => {
  const confusion = Array.from({ length: 12 }, (_, row) =>
    Array.from({ length: 12 }, (_, column) => Number(row === column)),
  );
  confusion[3]![4] = 12;
  confusion[5]![1] = 2;
  const labels = confusion.map((_, index) => `class ${index}`);
  expect(lines(confusion, labels).slice(1)).toEqual([
    "  12  class 3 taken for class 4",
    "   2  class 5 taken for class 1",
  ]);
});
