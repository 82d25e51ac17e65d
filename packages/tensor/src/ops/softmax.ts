import { softmaxBackward, softmaxForward } from "@webmoe/webgpu";
import { place, type Tensor, withGradient } from "../tensor";
import { showShape } from "../shape";

/** Make each row (the last axis) positive and sum to one. */
export function softmax(x: Tensor): Tensor {
  const cols = x.shape.at(-1);
  if (!cols) throw new Error(`softmax: needs a last axis to sum over, got shape ${showShape(x.shape)}`);
  const sizes = { rows: x.size / cols, cols };
  const { y } = place(softmaxForward, { x }, sizes, { y: x.shape });
  return withGradient("softmax", y, [x], (dy) => [place(softmaxBackward, { y, dy }, sizes, { dx: x.shape }).dx]);
}
