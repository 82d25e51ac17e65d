import { fold, type Init, type Key, swiglu, type Tensor } from "@webmoe/tensor";
import { linear, linearWeight } from "./linear";

/** Parameters of a gated feed-forward layer: gate and up [hidden, dim], down [dim, hidden]. */
export interface SwigluParameters<L> {
  /** The product whose silu weighs the other. */
  gate: L;
  /** The product that is weighed. */
  up: L;
  /** Back to the width of the residual stream. */
  down: L;
}

/** How the three matrices of a SwiGLU layer start: normal with standard deviation 0.02, keys folded by their names. */
export function initSwiglu(dim: number, hidden: number, key: Key): SwigluParameters<Init> {
  return {
    gate: linearWeight([hidden, dim], fold(key, "gate")),
    up: linearWeight([hidden, dim], fold(key, "up")),
    down: linearWeight([dim, hidden], fold(key, "down")),
  };
}

/** down(silu(gate(x)) * up(x)) (Shazeer 2020, without biases); `hidden` may change what down is given, [.., hidden]. */
export function swigluLayer(
  x: Tensor,
  { gate, up, down }: SwigluParameters<Tensor>,
  hidden = (units: Tensor) => units,
): Tensor {
  return linear(hidden(swiglu(linear(x, gate), linear(x, up))), down);
}
