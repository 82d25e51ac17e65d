import { type KernelTarget, kernel } from "../kernel";
import { matrixKernels, serialKernels } from "./kernels-of-target";
import { type MatmulParts, storeResult } from "./matmul-parts";
import { isHalves, type MatrixProduct, type Size } from "./matmul-product";
import { hasFewRows, rowsMatmul } from "./matmul-rows";
import { splitRange } from "./matmul-splits";
import { tiledMatmul } from "./matmul-tiled";
import { vectorMatmul, vectorTile } from "./matmul-vector";
import { matrixTile, productFits, STEP, usesMatrixUnits } from "./matrix-shape";
import { rotation } from "./rope";

/** Which operands are stored with rows and columns swapped: a as [k, m], b as [n, k]. */
export interface MatmulLayout {
  /** Whether a is stored [k, m]. */
  transposeA: boolean;
  /** Whether b is stored [n, k]. */
  transposeB: boolean;
  /** Both operands, or b alone, are packed by `packHalves`; only where `takesHalves` says so, or for matrix units alone. */
  halves?: boolean | "b";
  /** c's rows are queries, keys and values, turned as `rope` does before they are stored; where `productTurns` says so. */
  turn?: {
    /** Rows of a sequence: the position of row i is i modulo this. */
    context: number;
    /** Columns of a head; its first half is turned with its second. */
    headDim: number;
    /** Pair j of a head turns by position * base^(-2j / headDim). */
    base: number;
  };
}

const sizes = { batch: "u32", m: "u32", n: "u32", k: "u32" } as const;
type Sizes = Record<keyof typeof sizes, number>;

/** c[z] = op(a[z]) op(b[z]) for every z of the batch; op(a) is [m, k], op(b) [k, n]. */
export const matmul = kernel({
  name: "matmul",
  buffers: { a: "read", b: "read", c: "write" },
  sizes,
  flops,
  source: (given, target, layout: MatmulLayout, rounded) =>
    source(given, target, layout, { resultHalves: isHalves(rounded, "c") }),
});

/** c[z] += op(a[z]) op(b[z]) */
export const matmulAccumulate = kernel({
  name: "matmulAccumulate",
  buffers: { a: "read", b: "read", c: "update" },
  sizes,
  flops,
  source: (given, target, layout: MatmulLayout) => source(given, target, layout, { base: "c" }),
});

/** c[z] = base[z] + op(a[z]) op(b[z]) */
export const matmulAdd = kernel({
  name: "matmulAdd",
  buffers: { a: "read", b: "read", base: "read", c: "write" },
  sizes,
  flops,
  source: (given, target, layout: MatmulLayout) => source(given, target, layout, { base: "base" }),
});

/** c[s] = the part of op(a) op(b) that sums over the s-th of `splits` ranges of k; the parts add up to the product. */
export const matmulSplit = kernel({
  name: "matmulSplit",
  buffers: { a: "read", b: "read", c: "write" },
  sizes: { splits: "u32", m: "u32", n: "u32", k: "u32" },
  flops: ({ m, n, k }) => 2 * m * n * k,
  source: ({ splits, m, n, k }, target, layout: MatmulLayout) => {
    const step = `(sizes.splits * ${STEP}u)`;
    const range = { value: splitRange(k, splits), wgsl: `((sizes.k + ${step} - 1u) / ${step} * ${STEP}u)` };
    return productSource(target, layout, {
      products: splits,
      m,
      n,
      k,
      range,
      startA: `product * ${range.wgsl}${layout.transposeA ? " * sizes.m" : ""}`,
      startB: `product * ${range.wgsl}${layout.transposeB ? "" : " * sizes.n"}`,
    });
  },
});

/** What the length of every part of a split product but the last is a multiple of. */
export const SPLIT_STEP = STEP;

/** Rounds of a loop that compilers write out. */
const FEW_ROUNDS = 3;

/** Floating-point operations from which on it pays to round operands once, in a pass of its own. */
const HALVES_PAY = 1e9;

/** Rows or columns of the result from which on tiles read an operand often enough. */
const OFTEN = 128;

/** Whether matrix units can turn the rows of a product of `matmul` as they store them. */
export function productTurns(
  { batch, m, n, k }: Sizes,
  layout: MatmulLayout,
  headDim: number,
  target: KernelTarget,
): boolean {
  const fits = batch === 1 && layout.transposeB && usesMatrixUnits(target) && productFits({ m, n, k }, layout);
  const { columns, subgroupColumns } = matrixTile({ m, n }, 1);
  // A subgroup has both of a pair at hand.
  return fits && !hasFewRows(m, layout) && [32, 64].includes(headDim) && (columns / subgroupColumns) % headDim === 0;
}

/** Whether a product should be given its operands packed by `packHalves`. */
export function takesHalves({ batch, m, n, k }: Sizes, layout: MatmulLayout, target: KernelTarget): boolean {
  const onMatrixUnits = usesMatrixUnits(target) && productFits({ m, n, k }, layout);
  return onMatrixUnits && flops({ batch, m, n, k }) >= HALVES_PAY && Math.min(m, n) >= OFTEN;
}

function flops({ batch, m, n, k }: Sizes): number {
  return 2 * batch * m * n * k;
}

function source(
  { batch, m, n, k }: Sizes,
  target: KernelTarget,
  layout: MatmulLayout,
  result: Pick<Products, "base" | "resultHalves">,
) {
  const startA = "product * sizes.m * sizes.k";
  const startB = "product * sizes.k * sizes.n";
  return productSource(target, layout, {
    products: batch,
    m,
    n,
    k,
    range: { value: k, wgsl: "sizes.k" },
    startA,
    startB,
    ...result,
  });
}

/** Products side by side in a dispatch: where each starts, and how much of k it sums over. */
interface Products {
  products: number;
  m: number;
  n: number;
  k: number;
  /** Longest sum of one product. */
  range: Size;
  /** WGSL, in elements, in terms of `product`. */
  startA: string;
  startB: string;
  /** The buffer that products are added to. */
  base?: "c" | "base";
  /** Whether c is rounded to f16 alone. */
  resultHalves?: boolean;
}

function productSource(target: KernelTarget, layout: MatmulLayout, given: Products) {
  const { products, m, n, k, range, startA, startB, base, resultHalves = false } = given;
  const { transposeA, transposeB, halves = false, turn } = layout;
  const split = range.value < k;
  if (!split && hasFewRows(m, layout)) return rowsMatmul(target, { products, m, n, k, base });
  const fits = usesMatrixUnits(target) && productFits({ m, n, k }, layout);
  const whole = k % range.value === 0;
  const form = { ...layout, resultHalves, whole, memory: target.workgroupMemory ?? 0 };
  const tile =
    halves === true && !turn
      ? matrixKernels().tiles.tileOfHalves({ m, n, k: range.value }, form, products)
      : matrixTile({ m, n }, products);
  const inSteps = k % tile.step === 0 && range.value % tile.step === 0;
  // Two stages leave no register for a size.
  const exact = tile.stages === 2;
  // With both operands along the sum two stages are faster where sizes are no literals, by measurement.
  const literal = fits && !(exact && transposeB);
  const start = (at: string) => (literal && products === 1 ? "0u" : at);
  const terms = split ? `min(${range.wgsl}, sizes.k - product * ${range.wgsl})` : "sizes.k";
  // A loop of few rounds compiles in a third of the time where their number is known, which sharing would not make up for.
  const sharesDepth = !exact && (split || (!transposeB && k > FEW_ROUNDS * tile.step));
  const [rows, columns, depth]: [Size, Size, Size] = [
    { value: m, wgsl: "sizes.m" },
    { value: n, wgsl: "sizes.n" },
    { value: k, wgsl: sharesDepth ? "sizes.k" : `${k}u` },
  ];
  // What a loop steps by stays a literal, but in parts of sums, which pay little for it.
  const step = (size: Size): Size => (split && !exact ? size : { ...size, wgsl: `${size.value}u` });
  const product: MatrixProduct = {
    m: rows,
    n: columns,
    result: "c",
    resultHalves,
    a: {
      buffer: "a",
      halves: halves === true,
      alongSum: !transposeA,
      rowLength: transposeA ? step(rows) : depth,
      extent: rows,
      start: start(startA),
    },
    b: {
      buffer: "b",
      halves: halves !== false,
      alongSum: transposeB,
      rowLength: transposeB ? depth : step(columns),
      extent: columns,
      start: start(startB),
    },
    products,
    depth: { value: range.value, wgsl: exact ? `${range.value}u` : split ? terms : depth.wgsl },
    depthVaries: !whole,
    shared: exact && literal ? undefined : sharesDepth ? "depth" : "shape",
    endsInStep: !inSteps,
    setup: "",
    startC: start("product * sizes.m * sizes.n"),
    base,
    turn: turn && { ...turn, rotation: rotation(`f32(${turn.base})`, `${turn.headDim}u`) },
  };
  if (fits) return matrixKernels().matmul.matrixMatmul(product, tile);
  const vectors = vectorTile({ m, n, k }, layout, products, target);
  if (vectors) return vectorMatmul(product, vectors, target);
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
fn store(row: u32, column: u32, value: f32) {
  ${storeResult(product, "startC + row * sizes.n + column", "value")}
}`,
    setup: `
  startA = ${startA};
  startB = ${startB};
  startC = product * sizes.m * sizes.n;`,
    m: "sizes.m",
    n: "sizes.n",
    depth: terms,
    knownDepth: whole ? range.value : undefined,
    aIsColumnMajor: transposeA,
    bIsColumnMajor: transposeB,
  };
  return target.kernelClass === "serial"
    ? serialKernels().matmul.serialMatmul(parts, products, m, n)
    : tiledMatmul(parts, products, m, n);
}
