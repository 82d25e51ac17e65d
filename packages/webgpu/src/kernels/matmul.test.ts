import { describe, test } from "vitest";
import { expectClose, kernelTargets, runKernel, testNumbers } from "../testing";
import { type MatmulLayout, matmul, matmulAccumulate } from "./matmul";

function product(
  a: Float32Array,
  b: Float32Array,
  [batch, m, n, k]: number[],
  { transposeA, transposeB }: MatmulLayout,
) {
  const c = new Float32Array(batch! * m! * n!);
  for (let z = 0; z < batch!; z++) {
    for (let i = 0; i < m!; i++) {
      for (let j = 0; j < n!; j++) {
        let sum = 0;
        for (let l = 0; l < k!; l++) {
          const x = a[z * m! * k! + (transposeA ? l * m! + i : i * k! + l)]!;
          const y = b[z * k! * n! + (transposeB ? j * k! + l : l * n! + j)]!;
          sum += x * y;
        }
        c[z * m! * n! + i * n! + j] = sum;
      }
    }
  }
  return c;
}

const layouts: MatmulLayout[] = [
  { transposeA: false, transposeB: false },
  { transposeA: false, transposeB: true },
  { transposeA: true, transposeB: false },
  { transposeA: true, transposeB: true },
];

describe.each(kernelTargets.slice(0, 2))("matmul, $name", ({ target }) => {
  describe.each(layouts)("transposeA $transposeA, transposeB $transposeB", (layout) => {
    test.each([[[1, 1, 1, 1]], [[2, 3, 5, 7]], [[1, 65, 70, 17]], [[3, 9, 130, 33]]])(
      "batch, m, n, k = %j",
      async (shape) => {
        const [batch, m, n, k] = shape as [number, number, number, number];
        const a = testNumbers(batch * m * k);
        const b = testNumbers(batch * k * n, 2);
        const c = testNumbers(batch * m * n, 3);
        const expected = product(a, b, shape, layout);
        const sizes = { batch, m, n, k };
        expectClose((await runKernel(target, matmul, { a, b, c: c.length }, sizes, layout)).c, expected);
        const sum = expected.map((value, i) => value + c[i]!);
        expectClose((await runKernel(target, matmulAccumulate, { a, b, c }, sizes, layout)).c, sum);
      },
    );
  });
});
