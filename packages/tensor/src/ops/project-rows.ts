import { SPLIT_STEP, takesHalves } from "@webmoe/webgpu";
import type { Tensor } from "../tensor";
import { matmul } from "./matmul";
import { matrixUnits } from "./matrix-units";

/**
 * x [T, C] times a matrix [N, C] of the layer's own: x weight^T, [T, N]. As `matmul`, but that on matrix units the gradients of
 * such matrices of all layers are one kernel, for which x rounded to f16 is kept until the walk back is over.
 */
export function projectRows(x: Tensor, weight: Tensor): Tensor {
  const [rows, columns] = [x.shape[0]!, x.shape.at(-1)!];
  const sizes = { batch: 1, m: weight.shape[0]!, n: columns, k: rows };
  const fits = takesHalves(sizes, { transposeA: true, transposeB: false }, x.trace.target);
  if (!fits || x.shape.length !== 2 || rows % SPLIT_STEP !== 0) return matmul(x, weight, { transposeB: true });
  return matrixUnits().projectRows(x, weight);
}
