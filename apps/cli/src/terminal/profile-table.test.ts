import { expect, test } from "vitest";
import { profileRows, profileTable } from "./profile-table";

const times = [
  { kernel: "matmul", sizes: "m 4", microseconds: 10, flops: 2e6 },
  { kernel: "fill", sizes: "items 8", microseconds: 5, flops: 0 },
  { kernel: "matmul", sizes: "m 4", microseconds: 20, flops: 4e6 },
  { kernel: "matmul", sizes: "m 5", microseconds: 65, flops: 0 },
];

test("dispatches of one kernel and size are one row, the longest first", () => {
  expect(profileRows(times)).toEqual([
    { kernel: "matmul", sizes: "m 5", dispatches: 1, microseconds: 65, share: 0.65 },
    { kernel: "matmul", sizes: "m 4", dispatches: 2, microseconds: 30, share: 0.3, teraflops: 0.2 },
    { kernel: "fill", sizes: "items 8", dispatches: 1, microseconds: 5, share: 0.05 },
  ]);
});

test("the table ends with the sum, whatever it leaves out", () => {
  const lines = profileTable(profileRows(times), 1).split("\n");
  expect(lines).toHaveLength(3);
  expect(lines[1]).toMatch(/65\.0 +65\.0 % +1 +matmul: m 5/);
  expect(lines[2]).toMatch(/100\.0 +4 +all/);
});
