import { type KernelTarget, kernel } from "../kernel";
import type { MatmulParts } from "./matmul-parts";
import { serialMatmul } from "./matmul-serial";
import { tiledMatmul } from "./matmul-tiled";

/** Which operands are stored with rows and columns swapped: a as [k, m], b as [n, k]. */
export interface MatmulLayout {
  transposeA: boolean;
  transposeB: boolean;
}

const sizes = { batch: "u32", m: "u32", n: "u32", k: "u32" } as const;
type Sizes = Record<keyof typeof sizes, number>;

/** c[z] = op(a[z]) op(b[z]) for every z of the batch; op(a) is [m, k], op(b) [k, n]. */
export const matmul = kernel({
  name: "matmul",
  buffers: { a: "read", b: "read", c: "write" },
  sizes,
  flops,
  source: (given, target, layout: MatmulLayout) => source(given, target, layout, "="),
});

/** c[z] += op(a[z]) op(b[z]) */
export const matmulAccumulate = kernel({
  name: "matmulAccumulate",
  buffers: { a: "read", b: "read", c: "update" },
  sizes,
  flops,
  source: (given, target, layout: MatmulLayout) => source(given, target, layout, "+="),
});

function flops({ batch, m, n, k }: Sizes): number {
  return 2 * batch * m * n * k;
}

function source(
  { batch, m, n, k }: Sizes,
  target: KernelTarget,
  { transposeA, transposeB }: MatmulLayout,
  assign: string,
) {
  const elementA = transposeA ? "k * sizes.m + row" : "row * sizes.k + k";
  const vectorB = transposeB ? "columns * sizes.k + k" : "k * sizes.n + columns";
  const parts: MatmulParts = {
    functions: `
var<private> startA: u32;
var<private> startB: u32;
var<private> startC: u32;
fn elementA(row: u32, k: u32) -> f32 { return a[startA + ${elementA}]; }
fn vectorB(k: u32, columns: vec4u) -> vec4f {
  let at = startB + ${vectorB};
  return vec4f(b[at.x], b[at.y], b[at.z], b[at.w]);
}
fn store(row: u32, column: u32, value: f32) { c[startC + row * sizes.n + column] ${assign} value; }`,
    setup: `
  startA = product * sizes.m * sizes.k;
  startB = product * sizes.k * sizes.n;
  startC = product * sizes.m * sizes.n;`,
    m: "sizes.m",
    n: "sizes.n",
    depth: "sizes.k",
    knownDepth: k,
    aIsColumnMajor: transposeA,
    bIsColumnMajor: transposeB,
  };
  return target.kernelClass === "serial" ? serialMatmul(parts, batch, m, n) : tiledMatmul(parts, batch, m, n);
}
