import { roundingParts } from "@webmoe/webgpu";
import { showShape } from "../shape";
import { place, type Tensor, u32 } from "../tensor";

/**
 * x [..., C] rounded to f16, two to a u32: [..., C / 2]. For operands of matrix kernels that take `halves`; it has no gradient,
 * the rules of the products read it as they read x.
 */
export function halves(x: Tensor): Tensor<"u32"> {
  const columns = x.shape.at(-1) ?? 1;
  if (columns % 2 !== 0) throw new Error(`halves: needs an even last axis, got ${showShape(x.shape)}`);
  const y = u32(...x.shape.slice(0, -1), columns / 2);
  const { recording } = x.trace;
  const { packHalves } = roundingParts();
  return recording.counted(x.slice.storage.purpose, () => place(packHalves, { x }, { items: x.size / 2 }, { y }).y);
}
