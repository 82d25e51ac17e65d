import { rope as ropeKernel } from "@webmoe/webgpu";
import { showShape } from "../shape";
import { place, type Tensor, withGradient } from "../tensor";

/** How positions turn into angles. */
export interface RopeOptions {
  /** Angles are position / base^(2i / headDim). Default 10000. */
  base?: number;
}

/** The base that is usual. */
export const ROPE_BASE = 10000;

/**
 * Rotary position embedding (Su et al. 2021, half-split pairs) of queries and keys in qkv
 * [batch, context, 3, heads, headDim]; values pass unchanged.
 */
export function rope(qkv: Tensor, { base = ROPE_BASE }: RopeOptions = {}): Tensor {
  return withGradient("rope", turnedBy(qkv, base), [qkv], (dy) => [turnedBy(dy, base, -1)]);
}

/** `rope` without a gradient, or the other way about. */
export function turnedBy(qkv: Tensor, base: number, direction: 1 | -1 = 1): Tensor {
  const [batch, context, , heads, headDim] = qkv.shape as [number, number, number, number, number];
  if (qkv.shape.length !== 5 || qkv.shape[2] !== 3 || headDim % 2 !== 0) {
    throw new Error(
      `rope: needs qkv [batch, context, 3, heads, headDim] with an even headDim, got ${showShape(qkv.shape)}`,
    );
  }
  const sizes = { tokens: batch * context, context, heads, headDim, base, direction };
  return place(ropeKernel, { x: qkv }, sizes, { y: qkv.shape }).y;
}
