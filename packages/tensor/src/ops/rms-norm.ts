import {
  addRmsNormBackward,
  addRmsNormForward,
  addRmsNormGradients,
  columnSumChunks,
  rmsNormBackward,
  rmsNormChunks,
  rmsNormForward,
  rmsNormGradients,
  rmsNormWeightGradient,
} from "@webmoe/webgpu";
import { showShape } from "../shape";
import { place, reshape, type Tensor, withGradients } from "../tensor";
import { add } from "./elementwise";
import { sum } from "./reduce";

/** x / sqrt(mean(x^2) + eps) * weight over the last axis (Zhang and Sennrich 2019). x [..., D], weight [D]. */
export function rmsNorm(x: Tensor, weight: Tensor, eps = 1e-5): Tensor {
  const { rows, cols } = sizesOf("rmsNorm", x, weight);
  const { y, inverse } = place(rmsNormForward, { x, weight }, { rows, cols, eps }, { y: x.shape, inverse: [rows] });
  withGradients("rmsNorm", [y], [x, weight], (dy) => {
    // What reaches x by other ways is added by the kernel that computes both gradients, if x's is asked for first.
    let made: ReturnType<typeof backward> | undefined;
    const onto = (which: 0 | 1) => (base?: Tensor) => {
      const within = !made && which === 0;
      made ??= backward({ x, weight, inverse, dy: dy! }, within ? base : undefined);
      return base && !within ? add(base, made[which]) : made[which];
    };
    return [{ onto: onto(0) }, { onto: onto(1) }];
  });
  return y;
}

/**
 * The residual connection and the norm behind it in one: sum = x + branch, and `rmsNorm` of the sum. x and branch
 * [..., D], weight [D].
 */
export function addRmsNorm(x: Tensor, branch: Tensor, weight: Tensor, eps = 1e-5): { sum: Tensor; normalized: Tensor } {
  const { rows, cols } = sizesOf("addRmsNorm", x, weight);
  if (branch.shape.join() !== x.shape.join()) {
    throw new Error(`addRmsNorm: needs a branch of x's shape ${showShape(x.shape)}, got ${showShape(branch.shape)}`);
  }
  const given = { x, branch, weight };
  const shapes = { sum: x.shape, y: x.shape, inverse: [rows] };
  const { sum: total, y, inverse } = place(addRmsNormForward, given, { rows, cols, eps }, shapes);
  withGradients("addRmsNorm", [total, y], [x, branch, weight], (dskip, dy) => {
    if (!dy) return [dskip, dskip, undefined];
    const [dx, dweight] = backward({ x: total, weight, inverse, dy }, dskip);
    return [dx, dx, dweight];
  });
  return { sum: total, normalized: y };
}

interface Flowing {
  x: Tensor;
  weight: Tensor;
  inverse: Tensor;
  dy: Tensor;
}

/** The gradients of x, with `dskip` added, and of the weight. */
function backward(flowing: Flowing, dskip?: Tensor): [dx: Tensor, dweight: Tensor] {
  const { x, weight, inverse, dy } = flowing;
  const cols = weight.size;
  const rows = x.size / cols;
  const total = (partial: Tensor) => reshape(sum(partial, 0, 1), [cols]);
  const together = rmsNormChunks({ rows, cols }, x.trace.target);
  if (together !== undefined) {
    const sizes = { rows, cols, chunks: together };
    const shapes = { dx: x.shape, partial: [together, cols] };
    const { dx, partial } = dskip
      ? place(addRmsNormGradients, { ...flowing, dskip }, sizes, shapes)
      : place(rmsNormGradients, { ...flowing }, sizes, shapes);
    return [dx, total(partial)];
  }
  const { dx } = dskip
    ? place(addRmsNormBackward, { ...flowing, dskip }, { rows, cols }, { dx: x.shape })
    : place(rmsNormBackward, { ...flowing }, { rows, cols }, { dx: x.shape });
  const chunks = columnSumChunks({ rows, cols }, x.trace.target);
  const given = { x, inverse, dy };
  const { partial } = place(rmsNormWeightGradient, given, { rows, cols, chunks }, { partial: [chunks, cols] });
  return [dx, total(partial)];
}

function sizesOf(who: string, x: Tensor, weight: Tensor): { rows: number; cols: number } {
  const cols = x.shape.at(-1)!;
  if (weight.size !== cols) {
    throw new Error(
      `${who}: needs a weight of ${cols} elements for x ${showShape(x.shape)}, got ${showShape(weight.shape)}`,
    );
  }
  return { rows: x.size / cols, cols };
}
