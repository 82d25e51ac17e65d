import { ropeAt as ropeAtKernel, rope as ropeKernel } from "@webmoe/webgpu";
import { showShape } from "../shape";
import { place, type Tensor, withGradient, withoutGradient } from "../tensor";

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
  checkShape("rope", qkv, 5);
  const sizes = { tokens: batch * context, context, heads, headDim, base };
  const rotate = (x: Tensor, direction: "forward" | "backward") =>
    place(ropeKernel, { x }, sizes, { y: qkv.shape }, { direction }).y;
  return withGradient("rope", rotate(qkv, "forward"), [qkv], (dy) => [rotate(dy, "backward")]);
}

/** As `rope` for tokens [T, 3, heads, headDim] of which the first is at `start`, a u32 scalar. Has no gradient. */
export function ropeAt(qkv: Tensor, start: Tensor<"u32">, { base = 10000 }: RopeOptions = {}): Tensor {
  checkShape("ropeAt", qkv, 4);
  const [tokens, , heads, headDim] = qkv.shape as [number, number, number, number];
  const { y } = place(ropeAtKernel, { x: qkv, start }, { tokens, heads, headDim, base }, { y: qkv.shape });
  withoutGradient("ropeAt", [y], [qkv]);
  return y;
}

function checkShape(who: string, { shape }: Tensor, rank: number): void {
  if (shape.length !== rank || shape[rank - 3] !== 3 || shape[rank - 1]! % 2 !== 0) {
    throw new Error(`${who}: needs qkv [..., 3, heads, headDim] with an even headDim, got ${showShape(shape)}`);
  }
}
