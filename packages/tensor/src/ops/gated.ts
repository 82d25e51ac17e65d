import { type GateActivation, gatedBackward, gatedForward } from "@webmoe/webgpu";
import { showShape } from "../shape";
import { place, type Tensor, withGradient } from "../tensor";

/**
 * activation(gate) * up for rows x [R, 2H] = [gate | up], as [R, H]: the middle of SwiGLU ("silu"), GEGLU ("gelu", tanh
 * approximation) and ReGLU ("relu") layers (Shazeer 2020).
 */
export function gated(x: Tensor, activation: GateActivation = "silu"): Tensor {
  const [rows, width] = x.shape as [number, number];
  if (x.shape.length !== 2 || width % 2 !== 0) {
    throw new Error(`gated: needs x [rows, 2 * hidden], got ${showShape(x.shape)}`);
  }
  const sizes = { rows, hidden: width / 2 };
  const { y } = place(gatedForward, { x }, sizes, { y: [rows, width / 2] }, { activation });
  return withGradient("gated", y, [x], (dy) => [
    place(gatedBackward, { x, dy }, sizes, { dx: x.shape }, { activation }).dx,
  ]);
}
