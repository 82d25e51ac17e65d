import { accumulate, copy, copyTo } from "@webmoe/webgpu";
import { sameShape } from "../shape";
import { oneTrace, place, type Tensor, withGradient, withoutGradient } from "../tensor";

/** The same elements in memory of their own. */
export function copyOf(x: Tensor): Tensor {
  const { y } = place(copy, { x }, { items: x.size }, { y: { shape: x.shape, dtype: x.dtype } });
  return withGradient("copyOf", y, [x], (dy) => [dy]);
}

/** Replace the values of `target` in place; for state, which outlives the program. */
export function copyInto(target: Tensor, x: Tensor): void {
  place(copyTo, { x, y: target }, { items: x.size, offset: 0 }, {});
}

/** Add `x` to `target` in place; for state, which outlives the program. */
export function addInPlace(target: Tensor, x: Tensor): void {
  place(accumulate, { x, y: target }, { items: x.size }, {});
}

/** Tensors of one shape as the rows of one: n of [...] to [n, ...]. Has no gradient. */
export function stack(tensors: Tensor[]): Tensor {
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
