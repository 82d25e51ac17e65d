import { columnSumChunks, rmsNormBackward, rmsNormForward, rmsNormWeightGradient } from "@webmoe/webgpu";
import { showShape } from "../shape";
import { place, reshape, type Tensor, withGradients } from "../tensor";
import { sum } from "./reduce";

/** x / sqrt(mean(x^2) + eps) * weight over the last axis (Zhang and Sennrich 2019). x [..., D], weight [D]. */
export function rmsNorm(x: Tensor, weight: Tensor, eps = 1e-5): Tensor {
  const cols = x.shape.at(-1)!;
  if (weight.size !== cols) {
    throw new Error(
      `rmsNorm: needs a weight of ${cols} elements for x ${showShape(x.shape)}, got ${showShape(weight.shape)}`,
    );
  }
  const rows = x.size / cols;
  const { y, inverse } = place(rmsNormForward, { x, weight }, { rows, cols, eps }, { y: x.shape, inverse: [rows] });
  withGradients("rmsNorm", [y], [x, weight], (dy) => {
    const { dx } = place(rmsNormBackward, { x, weight, inverse, dy: dy! }, { rows, cols }, { dx: x.shape });
    const chunks = columnSumChunks({ rows, cols }, x.trace.target);
    const sizes = { rows, cols, chunks };
    const { partial } = place(rmsNormWeightGradient, { x, inverse, dy: dy! }, sizes, { partial: [chunks, cols] });
    return [dx, reshape(sum(partial, 0, 1), [cols])];
  });
  return y;
}
