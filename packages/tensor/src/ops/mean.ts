import type { Tensor } from "../tensor";
import { scale } from "./elementwise";
import { sum } from "./reduce";

/** The mean of all elements of any shape; a scalar, shape []. */
export function mean(x: Tensor): Tensor {
  return scale(sum(x), 1 / x.size);
}
