import { randomUniform } from "@webmoe/webgpu";
import { type Shape, sizeOf } from "../shape";
import { place, type Tensor } from "../tensor";

/** Numbers from [low, high) that are a function of `key` u32 [2] alone, so that a key handed to every run makes new ones. */
export function uniformNoise(key: Tensor<"u32">, shape: Shape, low: number, high: number): Tensor {
  if (key.size !== 2) throw new Error(`uniformNoise: needs a key of two words, got ${key}`);
  return place(randomUniform, { key }, { items: sizeOf(shape), low, high }, { y: shape }).y;
}
