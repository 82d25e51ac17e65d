import { dropout as dropoutKernel } from "@webmoe/webgpu";
import { place, type Tensor, withGradient } from "../tensor";

/** What is zeroed: each element with probability `rate`, as a function of `key` alone. */
export interface KeyedDropout {
  /** u32 [2] */
  key: Tensor<"u32">;
  /** From 0 to below 1. */
  rate: number;
}

/**
 * Zero each element with probability `rate` and divide the others by 1 - rate, so that the expectation stays (Srivastava et
 * al. 2014). What is zeroed is a function of `key` u32 [2] alone: the backward pass draws it again instead of keeping it.
 */
export function dropout(x: Tensor, key: Tensor<"u32">, rate: number): Tensor {
  checkDropout("dropout", key, rate);
  const drop = (x: Tensor) => place(dropoutKernel, { key, x }, { items: x.size, rate }, { y: x.shape }).y;
  return withGradient("dropout", drop(x), [x], (dy) => [drop(dy)]);
}

/** `dropout` of x as `drop` says, or x where there is none. */
export function dropoutBy(x: Tensor, drop: KeyedDropout | undefined): Tensor {
  return drop ? dropout(x, drop.key, drop.rate) : x;
}

/** Throw a one-line error for a rate or a key that cannot be. */
export function checkDropout(who: string, key: Tensor<"u32">, rate: number): void {
  if (!(rate >= 0 && rate < 1)) throw new Error(`${who}: needs a rate from 0 to below 1, got ${rate}`);
  if (key.size !== 2) throw new Error(`${who}: needs a key of two words, got ${key}`);
}
