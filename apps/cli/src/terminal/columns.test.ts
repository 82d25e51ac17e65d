import { expect, test } from "vitest";
import { tableLines } from "./columns";

const column = (head: string, align?: "left") => ({ head, align, text: (row: Record<string, string>) => row[head]! });

test("columns are as wide as their widest cell, numbers to the right", () => {
  expect(tableLines([column("name", "left"), column("ms")], [{ name: "a", ms: "1.25" }])).toEqual([
    "name    ms",
    "a     1.25",
  ]);
});

test("what a line has no room for comes in further tables, each with the first column", () => {
  const columns = [column("name", "left"), column("ms"), column("tokens/s"), column("memory")];
  const row = { name: "a", ms: "1.25", "tokens/s": "7", memory: "1 MiB" };
  expect(tableLines(columns, [row], { width: 20 })).toEqual([
    "name    ms  tokens/s",
    "a     1.25         7",
    "",
    "name  memory",
    "a      1 MiB",
  ]);
  expect(tableLines(columns, [row], { width: 28 })).toHaveLength(2);
  expect(tableLines(columns, [row], { width: 3 })).toHaveLength(8); // as narrow as it gets
});
