import { expect, test } from "vitest";
import { valuesOf } from "../testing";
import { columnRanks, columnsWhere } from "./assignments";

const x = { shape: [4, 2], data: Float32Array.of(0.5, 0, 0.9, 0, 0.5, -1, 0, 2) };

test("ranks count from the largest of a column, ties to the lower row", async () => {
  expect([...(await valuesOf(columnRanks, [x]))]).toEqual([1, 1, 0, 2, 2, 3, 3, 0]);
});

test("columns of what is not 0", async () => {
  const none = 0xffffffff;
  expect([...(await valuesOf(columnsWhere, [x]))]).toEqual([0, none, 0, none, 0, 1, none, 1]);
});

test("other shapes are refused", async () => {
  await expect(valuesOf(columnRanks, [{ shape: [4], data: new Float32Array(4) }])).rejects.toThrow(
    "columnRanks: needs x [R, C], got [4]",
  );
});
