import {
  takeColumnsBackward,
  takeColumnsForward,
  topKColumns,
  topKSoftmaxBackward,
  topKSoftmaxForward,
} from "@webmoe/webgpu";
import { showShape } from "../shape";
import { place, type Tensor, u32, withGradient, withGradients, withoutGradient } from "../tensor";
import { constant } from "./formulas";

/** Which experts a token goes to, and with which weights. */
export interface TopKResult {
  /** Softmax over all columns [T, E]; zeros in masked rows. */
  probabilities: Tensor;
  /** Chosen columns, u32 [T * K], best first, ties to the lower column; 0xffffffff in masked rows. */
  expert: Tensor<"u32">;
  /** [T * K]; zeros in masked rows. Not a number where the column's logit is -inf: fewer than K were left to the row. */
  weight: Tensor;
}

/**
 * Softmax over each row of `logits` [T, E] and the `topK` largest of it. With `renormalize` the weights of a row sum to
 * one (the same as a softmax over the chosen alone), else they are the softmax's own values. `mask` f32 [T]: rows with 0
 * choose nothing.
 */
export function topKSoftmax(logits: Tensor, mask: Tensor, topK: number, renormalize: boolean): TopKResult {
  const [tokens, experts] = logits.shape as [number, number];
  if (logits.shape.length !== 2 || topK < 1 || topK > experts) {
    throw new Error(`topKSoftmax: needs logits [T, E] with at least ${topK} columns, got ${showShape(logits.shape)}`);
  }
  const sizes = { tokens, experts };
  const options = { topK, renormalize };
  const { probabilities, expert, weight } = place(
    topKSoftmaxForward,
    { logits, mask },
    sizes,
    { probabilities: logits.shape, expert: u32(tokens * topK), weight: [tokens * topK] },
    options,
  );
  withGradients("topKSoftmax", [probabilities, weight], [logits], (dprobabilities, dweight) => {
    const given = {
      probabilities,
      expert,
      weight,
      dprobabilities: dprobabilities ?? constant(logits.trace, logits.shape, 0),
      dweight: dweight ?? constant(logits.trace, weight.shape, 0),
    };
    return [place(topKSoftmaxBackward, given, sizes, { dlogits: logits.shape }, options).dlogits];
  });
  return { probabilities, expert, weight };
}

/**
 * The columns of the `k` largest of each row of `x` [R, C], best first, ties to the lower column: u32 [R, k]. A column of -inf
 * is 0xffffffff, of which `takeColumns` makes no number.
 */
export function topK(x: Tensor, k: number): Tensor<"u32"> {
  const [rows, cols] = x.shape as [number, number];
  if (x.shape.length !== 2 || k < 1 || k > cols) {
    throw new Error(`topK: needs x [R, C] with at least ${k} columns, got ${showShape(x.shape)}`);
  }
  const { index } = place(topKColumns, { x }, { rows, cols }, { index: u32(rows, k) }, { topK: k });
  withoutGradient("topK", [index], [x]);
  return index;
}

/** Of each row of `x` [R, C] the columns that `index` [R, k] names: [R, k]. */
export function takeColumns(x: Tensor, index: Tensor<"u32">): Tensor {
  const [rows, cols] = x.shape as [number, number];
  const taken = index.shape[1]!;
  if (x.shape.length !== 2 || index.shape.length !== 2 || index.shape[0] !== rows) {
    throw new Error(
      `takeColumns: needs x [R, C] and index [R, k], got ${showShape(x.shape)} and ${showShape(index.shape)}`,
    );
  }
  const sizes = { rows, cols, taken };
  const { y } = place(takeColumnsForward, { x, index }, sizes, { y: [rows, taken] });
  return withGradient("takeColumns", y, [x], (dy) => [
    place(takeColumnsBackward, { index, dy }, sizes, { dx: x.shape }).dx,
  ]);
}
