import type { Tensor } from "../tensor";
import { scale } from "./elementwise";
import { sum } from "./reduce";

/** The mean of all elements. */
export function mean(x: Tensor): Tensor {
  return scale(sum(x), 1 / x.size);
}
