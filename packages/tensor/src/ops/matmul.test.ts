import { expectClose } from "@webmoe/webgpu/testing";
import { expect, test } from "vitest";
import { checkGradient, random, valuesOf } from "../testing";
import { matmul } from "./matmul";

test.each([
  [false, false],
  [false, true],
  [true, false],
  [true, true],
])("gradients with transposeA %s, transposeB %s", (transposeA, transposeB) =>
  checkGradient(
    (a, b) => matmul(a, b, { transposeA, transposeB }),
    [transposeA ? [5, 3] : [3, 5], transposeB ? [2, 5] : [5, 2]],
  ),
);

test.each([
  [false, false],
  [false, true],
  [true, false],
  [true, true],
])("batched gradients with transposeA %s, transposeB %s", (transposeA, transposeB) =>
  checkGradient(
    (a, b) => matmul(a, b, { transposeA, transposeB }),
    [transposeA ? [2, 2, 4, 3] : [2, 2, 3, 4], transposeB ? [2, 2, 2, 4] : [2, 2, 4, 2]],
  ),
);

test("one matrix for all of a batch", async () => {
  await checkGradient(
    (a, b) => matmul(a, b),
    [
      [2, 3, 4],
      [4, 5],
    ],
  );
  await checkGradient(
    (a, b) => matmul(a, b, { transposeB: true }),
    [
      [2, 3, 4],
      [5, 4],
    ],
  );
});

test("the shape of the result, and its values", async () => {
  const [a, b] = [random([2, 3, 4]), random([5, 4], 2)];
  const expected = Array.from({ length: 30 }, (_, i) => {
    let total = 0;
    for (let k = 0; k < 4; k++) total += a.data[Math.floor(i / 5) * 4 + k]! * b.data[(i % 5) * 4 + k]!;
    return total;
  });
  const y = await valuesOf(
    (a, b) => {
      const c = matmul(a, b, { transposeB: true });
      expect(c.shape).toEqual([2, 3, 5]);
      return c;
    },
    [a, b],
  );
  expectClose(y, expected);
});

test("sizes that do not fit are errors", async () => {
  const both = (a: number[], b: number[]) => valuesOf(matmul, [random(a), random(b)]);
  await expect(both([4, 8], [6, 2])).rejects.toThrow("matmul: inner sizes must match, got [4, 8] and [6, 2]");
  await expect(both([2, 4, 8], [3, 8, 2])).rejects.toThrow("matmul: leading sizes must match");
  await expect(both([4], [4, 2])).rejects.toThrow("matmul: needs matrices, got shapes [4] and [4, 2]");
});
