import { columnSum, columnSumChunks, Expression, rowSum, sumMiddle, sumsInOneStage } from "@webmoe/webgpu";
import { showShape } from "../shape";
import { place, reshape, type Tensor, withGradient } from "../tensor";
import { placeFormulas } from "./formulas";

/** Sum over axes `from` to `to` (exclusive), by default all of them. The summed axes keep an extent of 1, or vanish when all are. */
export function sum(x: Tensor, from = 0, to = x.shape.length): Tensor {
  if (from < 0 || to > x.shape.length || (from >= to && x.shape.length > 0)) {
    throw new Error(`sum: needs a range of the axes of ${showShape(x.shape)}, got ${from} to ${to}`);
  }
  const all = from === 0 && to === x.shape.length;
  const outer = product(x.shape.slice(0, from));
  const reduced = product(x.shape.slice(from, to));
  const inner = product(x.shape.slice(to));
  const kept = x.shape.map((extent, axis) => (axis >= from && axis < to ? 1 : extent));
  const y = reshapeQuietly(sumGroups(x, outer, reduced, inner), all ? [] : kept);
  return withGradient("sum", y, [x], (dy) =>
    placeFormulas("sumBackward", [reshape(dy, kept)], [Expression.input(0)], x.shape),
  );
}

/** The sum of the rows of x [T, C], [C]: the gradient of a bias. */
export function sumOfRows(x: Tensor): Tensor {
  return reshape(sum(x, 0, 1), x.shape.slice(1));
}

/** Sums up to this long take less time in one stage than a second one does to start. */
const LONG = 8192;

/** [outer, reduced, inner] to [outer, inner]; long sums in two stages, so that many invocations share them. */
function sumGroups(x: Tensor, outer: number, reduced: number, inner: number): Tensor {
  if (inner === 1) {
    const chunks = outer < 64 ? largestDivisor(reduced, Math.ceil(reduced / LONG)) : 1;
    const { y } = place(rowSum, { x }, { rows: outer * chunks, cols: reduced / chunks }, { y: [outer * chunks] });
    return chunks === 1 ? y : sumGroups(y, outer, chunks, 1);
  }
  if (outer === 1) {
    const { target } = x.trace;
    const sizes = { rows: reduced, cols: inner };
    const chunks = sumsInOneStage(sizes, target) ? 1 : columnSumChunks(sizes, target);
    const { y } = place(columnSum, { x }, { rows: reduced, cols: inner, chunks }, { y: [chunks, inner] });
    return chunks === 1 ? y : sumGroups(y, 1, chunks, inner);
  }
  return place(sumMiddle, { x }, { outer, reduced, inner }, { y: [outer, inner] }).y;
}

/** The divisor of `n` nearest below a wish: chunks of equal length need no ragged end. */
function largestDivisor(n: number, wish: number): number {
  for (let d = wish; d > 1; d--) if (n % d === 0) return d;
  return 1;
}

function product(extents: readonly number[]): number {
  return extents.reduce((a, b) => a * b, 1);
}

/** A view whose gradient is the caller's business. */
function reshapeQuietly(x: Tensor, shape: readonly number[]): Tensor {
  const y = reshape(x, shape);
  x.trace.nodes.pop();
  return y;
}
