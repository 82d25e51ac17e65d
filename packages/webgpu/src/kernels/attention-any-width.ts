import type { KernelSource, KernelTarget } from "../kernel";
import type { AttentionSizes } from "./attention-shape";
import { serialAttention, tiledAttention } from "./kernels-of-target";
import { AMPLE_MEMORY } from "./matrix-shape";

/** The three passes of attention, by what they compute. */
export type AttentionPass = "forward" | "backwardQuery" | "backwardKeyValue";

/**
 * The shader of a pass for heads of any width: in tiles, or with an invocation for each query or key on software adapters and where
 * tiles are larger than workgroup memory. `random` is WGSL of random numbers, for dropout.
 */
export function attentionOfAnyWidth(
  pass: AttentionPass,
  shape: AttentionSizes,
  { kernelClass, workgroupMemory = AMPLE_MEMORY }: KernelTarget,
  random?: string,
): KernelSource {
  const weightsOf = ({ droppedWeights }: Pick<ReturnType<typeof serialAttention>, "droppedWeights">) =>
    random === undefined ? undefined : droppedWeights(random);
  if (kernelClass === "tiled") {
    const tiled = tiledAttention();
    const inTiles = tiled[pass](shape, Math.min(workgroupMemory, AMPLE_MEMORY), weightsOf(tiled));
    if (inTiles) return inTiles;
  }
  const serial = serialAttention();
  return serial[pass](shape, weightsOf(serial));
}
