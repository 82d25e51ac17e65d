import { rope as ropeKernel } from "@webmoe/webgpu";
import { showShape } from "../shape";
import { place, type Tensor, withGradient } from "../tensor";

/** How positions turn into angles. */
export interface RopeOptions {
  /** Angles are position / base^(2i / headDim). */
  base?: number;
}

/**
 * Rotary position embedding (Su et al. 2021, half-split pairs) of queries and keys in qkv
 * [batch, context, 3, heads, headDim]; values pass unchanged.
 */
export function rope(qkv: Tensor, { base = 10000 }: RopeOptions = {}): Tensor {
  const [batch, context, , heads, headDim] = qkv.shape as [number, number, number, number, number];
  if (qkv.shape.length !== 5 || qkv.shape[2] !== 3 || headDim % 2 !== 0) {
    throw new Error(
      `rope: needs qkv [batch, context, 3, heads, headDim] with an even headDim, got ${showShape(qkv.shape)}`,
    );
  }
  const sizes = { tokens: batch * context, context, heads, headDim, base };
  const rotate = (x: Tensor, direction: 1 | -1) =>
    place(ropeKernel, { x }, { ...sizes, direction }, { y: qkv.shape }).y;
  return withGradient("rope", rotate(qkv, 1), [qkv], (dy) => [rotate(dy, -1)]);
}
