import { logSumExpForward, softmaxBackward, softmaxForward } from "@webmoe/webgpu";
import { showShape } from "../shape";
import { place, reshape, type Tensor, withGradient } from "../tensor";
import { map } from "./map";

/** exp(x) / sum(exp(x)) over the last axis, without overflow: [..., C] to [..., C]. A row of no elements is an error. */
export function softmax(x: Tensor): Tensor {
  const cols = x.shape.at(-1);
  if (!cols) throw new Error(`softmax: needs a last axis to sum over, got shape ${showShape(x.shape)}`);
  const sizes = { rows: x.size / cols, cols };
  const { y } = place(softmaxForward, { x }, sizes, { y: x.shape });
  return withGradient("softmax", y, [x], (dy) => [place(softmaxBackward, { y, dy }, sizes, { dx: x.shape }).dx]);
}

/** log(sum(exp(x))) of each row (the last axis); the result lacks that axis. */
export function logSumExp(x: Tensor): Tensor {
  const cols = x.shape.at(-1);
  if (!cols) throw new Error(`logSumExp: needs a last axis to sum over, got shape ${showShape(x.shape)}`);
  const rows = x.shape.slice(0, -1);
  const { y } = place(logSumExpForward, { x }, { rows: x.size / cols, cols }, { y: rows });
  return withGradient("logSumExp", y, [x], (dy) => [
    map("logSumExpBackward", [x, reshape(y, [...rows, 1]), reshape(dy, [...rows, 1])], (x, y, dy) =>
      x.sub(y).exp().mul(dy),
    ),
  ]);
}
