import { expect, test } from "vitest";
import { tableLines } from "./columns";

test("columns are as wide as their widest cell, numbers to the right", () => {
  const columns = [
    { head: "name", align: "left" as const, text: ({ name }: { name: string; ms: string }) => name },
    { head: "ms", text: ({ ms }: { name: string; ms: string }) => ms },
  ];
  expect(tableLines(columns, [{ name: "a", ms: "1.25" }])).toEqual(["name    ms", "a     1.25"]);
});
