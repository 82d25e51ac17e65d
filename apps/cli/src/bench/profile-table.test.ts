import { expect, test } from "vitest";
import { profileRows, profileTable } from "./profile-table";

const times = [
  { kernel: "matmul", sizes: "m 4", start: 0, microseconds: 10, flops: 2e6, bytes: 1e3 },
  { kernel: "fill", sizes: "items 8", start: 10, microseconds: 5, flops: 0, bytes: 1e4 },
  { kernel: "matmul", sizes: "m 4", start: 15, microseconds: 20, flops: 4e6, bytes: 2e3 },
  { kernel: "matmul", sizes: "m 5", start: 35, microseconds: 65, flops: 0, bytes: 0 },
];

test("dispatches are grouped by kernel and sizes, the longest first", () => {
  expect(profileRows(times)).toEqual([
    { kernel: "matmul", sizes: "m 5", dispatches: 1, microseconds: 65, share: 0.65, gigabytesPerSecond: 0 },
    {
      kernel: "matmul",
      sizes: "m 4",
      dispatches: 2,
      microseconds: 30,
      share: 0.3,
      teraflops: 0.2,
      gigabytesPerSecond: 0.1,
    },
    { kernel: "fill", sizes: "items 8", dispatches: 1, microseconds: 5, share: 0.05, gigabytesPerSecond: 2 },
  ]);
});

test("a kernel's floor is the longer of its arithmetic and its traffic at the device's peaks", () => {
  const [, product, filling] = profileRows(times, { flops: 1e12, bytes: 4e9 });
  expect(product!.ofFloor).toBeCloseTo(6 / 30);
  expect(filling!.ofFloor).toBeCloseTo(2.5 / 5);
});

test("the table ends with the total and says what it leaves out", () => {
  const lines = profileTable(profileRows(times), 1).split("\n");
  expect(lines).toHaveLength(4);
  expect(lines[0]).toContain("TFLOPS");
  expect(lines[1]).toContain("matmul: m 5");
  expect(lines[2]).toBe("and 2 more, 35.0 %");
  expect(lines[3]).toBe("100.0 us in 4 dispatches, one after the other");
});
