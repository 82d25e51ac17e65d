import { dropout as dropoutKernel } from "@webmoe/webgpu";
import { place, type Tensor, withGradient } from "../tensor";

/**
 * Zero each element with probability `rate` and divide the others by 1 - rate, so that the expectation stays (Srivastava et
 * al. 2014). What is zeroed is a function of `key` u32 [2] alone: the backward pass draws it again instead of keeping it.
 */
export function dropout(x: Tensor, key: Tensor<"u32">, rate: number): Tensor {
  if (!(rate >= 0 && rate < 1)) throw new Error(`dropout: needs a rate from 0 to below 1, got ${rate}`);
  if (key.size !== 2) throw new Error(`dropout: needs a key of two words, got ${key}`);
  const drop = (x: Tensor) => place(dropoutKernel, { key, x }, { items: x.size, rate }, { y: x.shape }).y;
  return withGradient("dropout", drop(x), [x], (dy) => [drop(dy)]);
}
