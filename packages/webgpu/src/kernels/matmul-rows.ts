// The product with few rows of a, as when text is written a token at a time: c[i,j] = a[i,:] . b[j,:] with b stored [n, k].
// Reading b is all the work, and tiles would be mostly empty. Every element of c has walkers of its own, which read its row of b
// side by side; rows of a take turns fastest, so that a row of b is in the cache for all but the first.
//
//   b[j,:]   | walker 0 | walker 1 | .. | walker 0 | ..     times a[0,:], then times a[1,:], ..

import type { KernelSource, KernelTarget } from "../kernel";
import { storeResult } from "./matmul-parts";
import { wide } from "./wide";

/** Most rows of a. */
const MOST_ROWS = 8;

/** Whether a product has few rows, and a b whose rows can be read in one go. */
export function hasFewRows(m: number, layout: { transposeA: boolean; transposeB: boolean }): boolean {
  return m <= MOST_ROWS && !layout.transposeA && layout.transposeB;
}

/** Threads that walk `steps` vectors together: a power of two, with two vectors each where there are enough. */
export function walkers({ kernelClass }: KernelTarget, steps: number): number | undefined {
  return kernelClass === "tiled" ? Math.min(128, Math.max(32, 2 ** Math.ceil(Math.log2(steps / 2)))) : undefined;
}

/** `products` products; buffers a, b and c. */
export function rowsMatmul(
  target: KernelTarget,
  { products, m, n, k, base }: { products: number; m: number; n: number; k: number; base?: string },
): KernelSource {
  const { lanes, vectors, dot } = wide(target, k, ["a", "b"]);
  return {
    form: "rows",
    rows: products * n * m,
    workgroup: walkers(target, k / lanes),
    vectors,
    wgsl: `
fn run(element: u32) {
  let width = sizes.k / ${lanes}u;
  let rowB = element / sizes.m;
  let product = rowB / sizes.n;
  let rowA = product * sizes.m + element % sizes.m;
  var sum = 0.0;
  for (var k = first(); k < width; k += step()) { sum += ${dot("a[rowA * width + k]", "b[rowB * width + k]")}; }
  sum = rowSum(sum);
  if (isFirst()) { ${storeResult({ result: "c", base }, "rowA * sizes.n + rowB % sizes.n", "sum")} }
}`,
  };
}
