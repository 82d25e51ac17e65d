import {
  columnSum,
  type MatmulLayout,
  matmulAccumulate,
  matmulAdd as matmulAddKernel,
  matmul as matmulKernel,
  matmulSplit,
  matmulSplits,
  takesHalves,
} from "@webmoe/webgpu";
import { type Shape, showShape, sizeOf } from "../shape";
import { type AnyTensor, type GradientOnto, place, reshape, type Tensor, withGradient } from "../tensor";
import { add } from "./elementwise";
import { halves } from "./halves";

/** Which operands are stored with their last two axes swapped. */
export interface MatmulOptions {
  /** `a` is stored as [..., K, M]. */
  transposeA?: boolean;
  /** `b` is stored as [..., N, K]. */
  transposeB?: boolean;
}

/**
 * op(a) op(b) over the last two axes: [..., M, K] and [..., K, N] to [..., M, N]. Leading axes must agree, or `b` is one
 * matrix for all of `a`.
 */
export function matmul(a: Tensor, b: Tensor, options: MatmulOptions = {}): Tensor {
  const { transposeA = false, transposeB = false } = options;
  if (a.shape.length < 2 || b.shape.length < 2) {
    throw new Error(`matmul: needs matrices, got shapes ${showShape(a.shape)} and ${showShape(b.shape)}`);
  }
  if (a.shape.length > 2 && b.shape.length === 2 && !transposeA) {
    const rows = a.shape.slice(0, -1);
    const flat = matmul(reshape(a, [sizeOf(rows), a.shape.at(-1)!]), b, options);
    return reshape(flat, [...rows, flat.shape[1]!]);
  }
  const { shape, ...sizes } = matmulSizes(a.shape, b.shape, transposeA, transposeB);
  const c = product(a, b, shape, sizes, { transposeA, transposeB });
  return withGradient("matmul", c, [a, b], (dc) => {
    const da = transposeA
      ? productOnto(b, dc, { transposeA: transposeB, transposeB: true })
      : productOnto(dc, b, { transposeB: !transposeB });
    if (a.shape.length === 2 && !transposeA) {
      return [da, { rows: transposeB ? [dc, a] : [a, dc], total: productOverRows }];
    }
    const db = transposeB
      ? matmul(dc, a, { transposeA: true, transposeB: transposeA })
      : matmul(a, dc, { transposeA: !transposeA });
    return [da, db];
  });
}

/** op(a) op(b) of matrices, without a gradient: for ops whose own rule has it. */
export function plainProduct(a: Tensor, b: Tensor, { transposeA = false, transposeB = false }: MatmulOptions): Tensor {
  const { shape, ...sizes } = matmulSizes(a.shape, b.shape, transposeA, transposeB);
  return product(a, b, shape, sizes, { transposeA, transposeB });
}

/** op(a) op(b) as a gradient that others may be added to. */
export function productOnto(a: Tensor, b: Tensor, options: MatmulOptions): GradientOnto {
  return { onto: (base) => (base ? matmulAdd(base, a, b, options) : matmul(a, b, options)) };
}

/** base + op(a) op(b), in one kernel unless the product is one of few tiles and long sums. Has no gradient. */
function matmulAdd(base: Tensor, a: Tensor, b: Tensor, { transposeA = false, transposeB = false }: MatmulOptions) {
  const { shape, ...sizes } = matmulSizes(a.shape, b.shape, transposeA, transposeB);
  const [layout, { target }] = [{ transposeA, transposeB }, a.trace];
  if (matmulSplits(sizes, layout, target) > 1) return add(base, matmul(a, b, layout));
  const packed = takesHalves(sizes, layout, target);
  const given = { ...operands(a, b, packed), base };
  return place(matmulAddKernel, given, sizes, { c: shape }, { ...layout, halves: packed }).c;
}

/** a^T b for a [T, M] and b [T, N]: the gradient of a matrix, as a sum over rows. */
export function productOverRows(a: Tensor, b: Tensor): Tensor {
  return matmul(a, b, { transposeA: true });
}

type Sizes = Omit<ReturnType<typeof matmulSizes>, "shape">;

/** One kernel, or, where a few tiles would have long sums to themselves, parts of the sums and then their total. */
function product(a: Tensor, b: Tensor, shape: Shape, sizes: Sizes, layout: Required<MatmulOptions>): Tensor {
  const packed = takesHalves(sizes, layout, a.trace.target);
  return placeProduct(operands(a, b, packed), shape, sizes, { ...layout, halves: packed });
}

function operands(a: Tensor, b: Tensor, packed: boolean): Operands {
  return packed ? { a: halves(a), b: halves(b) } : { a, b };
}

/** What is multiplied, as the layout says. */
export type Operands = Record<"a" | "b", AnyTensor>;

/** op(a) op(b) of operands that are packed already where the layout says so. Has no gradient. */
export function placeProduct(operands: Operands, shape: Shape, sizes: Sizes, layout: MatmulLayout): Tensor {
  const { m, n, k } = sizes;
  const splits = matmulSplits(sizes, layout, operands.a.trace.target);
  if (splits === 1) return place(matmulKernel, operands, sizes, { c: shape }, layout).c;
  const parts = place(matmulSplit, operands, { splits, m, n, k }, { c: [splits, m, n] }, layout).c;
  return sumOfParts(parts, shape);
}

/** The product of which `parts` hold sums over ranges, [S, M, N]. Has no gradient. */
export function sumOfParts(parts: Tensor, shape: Shape): Tensor {
  const [rows, m, n] = parts.shape as [number, number, number];
  return place(columnSum, { x: parts }, { rows, cols: m * n, chunks: 1 }, { y: shape }).y;
}

/** Add op(a) op(b) to `c` in place. For gradient rules; it has no gradient itself. */
export function matmulInto(c: Tensor, a: Tensor, b: Tensor, options: MatmulOptions = {}): void {
  const { transposeA = false, transposeB = false } = options;
  const { shape, ...sizes } = matmulSizes(a.shape, b.shape, transposeA, transposeB);
  if (sizeOf(shape) !== c.size) {
    throw new Error(`matmulInto: needs c of shape ${showShape(shape)}, got ${showShape(c.shape)}`);
  }
  const layout = { transposeA, transposeB };
  if (takesHalves(sizes, layout, c.trace.target)) {
    place(matmulAccumulate, { a: halves(a), b: halves(b), c }, sizes, {}, { ...layout, halves: true });
  } else place(matmulAccumulate, { a, b, c }, sizes, {}, layout);
}

function matmulSizes(a: Shape, b: Shape, transposeA: boolean, transposeB: boolean) {
  const [m, k] = transposeA ? [a.at(-1)!, a.at(-2)!] : [a.at(-2)!, a.at(-1)!];
  const [kb, n] = transposeB ? [b.at(-1)!, b.at(-2)!] : [b.at(-2)!, b.at(-1)!];
  if (k !== kb) throw new Error(`matmul: inner sizes must match, got ${showShape(a)} and ${showShape(b)}`);
  const lead = a.slice(0, -2);
  if (lead.join() !== b.slice(0, -2).join()) {
    throw new Error(`matmul: leading sizes must match, got ${showShape(a)} and ${showShape(b)}`);
  }
  return { batch: sizeOf(lead), m, n, k, shape: [...lead, m, n] };
}
