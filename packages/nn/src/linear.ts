import {
  add,
  constantInit,
  fold,
  type Init,
  type Key,
  matmul,
  normal,
  type Shape,
  type Tensor,
  uniform,
} from "@webmoe/tensor";

/** How weights start: "normal" with standard deviation 0.02 and zero biases, or PyTorch's own default of nn.Linear. */
export type InitStyle = "normal" | "torch";

/** A weight matrix [out, in]. */
export function linearWeight(shape: Shape, key: Key, style: InitStyle = "normal"): Init {
  const fanIn = shape.at(-1)!;
  return style === "torch"
    ? uniform(shape, 1 / Math.sqrt(fanIn), fold(key, "weight"))
    : normal(shape, 0.02, fold(key, "weight"));
}

/** A bias [out] of a layer with `fanIn` inputs. */
export function linearBias(size: number, fanIn: number, key: Key, style: InitStyle = "normal"): Init {
  return style === "torch" ? uniform([size], 1 / Math.sqrt(fanIn), fold(key, "bias")) : constantInit([size], 0);
}

/** x weight^T + bias. x [..., in], weight [out, in], bias [out]. */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  const y = matmul(x, weight, { transposeB: true });
  return bias ? add(y, bias) : y;
}
