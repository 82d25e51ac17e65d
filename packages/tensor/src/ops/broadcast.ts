import { Expression } from "@webmoe/webgpu";
import type { Shape } from "../shape";
import { type Tensor, withGradient } from "../tensor";
import { placeFormulas } from "./formulas";
import { sumTo } from "./sum-to";

/** `x` repeated to a larger shape that it stretches to. */
export function broadcastTo(x: Tensor, shape: Shape): Tensor {
  const [y] = placeFormulas("broadcastTo", [x], [Expression.input(0)], shape);
  return withGradient("broadcastTo", y!, [x], (dy) => [sumTo(dy, x.shape)]);
}
