import { accumulate, copy, copyTo } from "@webmoe/webgpu";
import { sameShape } from "../shape";
import { type Dtype, oneTrace, place, type Tensor, withGradients, withoutGradient } from "../tensor";

/** The same elements in memory of their own. */
export function copyOf<D extends Dtype>(x: Tensor<D>): Tensor<D> {
  const { y } = place(copy, { x }, { items: x.size }, { y: { shape: x.shape, dtype: x.dtype } });
  withGradients("copyOf", [y], [x], (dy) => [dy]);
  return y as Tensor<D>;
}

/** Replace the values of `target` in place; for state, which outlives the program. */
export function copyInto<D extends Dtype>(target: Tensor<D>, x: Tensor<D>): void {
  place(copyTo, { x, y: target }, { items: x.size, offset: 0 }, {});
}

/** Add `x` to `target` in place; for state, which outlives the program. */
export function addInPlace(target: Tensor, x: Tensor): void {
  place(accumulate, { x, y: target }, { items: x.size }, {});
}

/** Tensors of one shape as the rows of one: n of [...] to [n, ...]. Has no gradient. */
export function stack<D extends Dtype>(tensors: Tensor<D>[]): Tensor<D> {
  const trace = oneTrace("stack", tensors);
  const { shape, size, dtype } = tensors[0]!;
  const y = trace.temporary([tensors.length, ...shape], dtype, "stack");
  tensors.forEach((x, index) => {
    if (!sameShape(x.shape, shape)) throw new Error(`stack: needs tensors of one shape, got ${tensors.join(" and ")}`);
    place(copyTo, { x, y }, { items: size, offset: index * size }, {});
  });
  withoutGradient("stack", [y], tensors);
  return y;
}
