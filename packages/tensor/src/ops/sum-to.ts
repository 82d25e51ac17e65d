import { type Shape, showShape } from "../shape";
import { reshape, type Tensor } from "../tensor";
import { sum } from "./reduce";

/** Sum `x` down to a shape that broadcasts to it: the gradient of broadcasting. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  const padded = [...Array(x.shape.length - shape.length).fill(1), ...shape] as number[];
  if (padded.some((extent, axis) => extent !== 1 && extent !== x.shape[axis])) {
    throw new Error(`sumTo: needs a shape that broadcasts to ${showShape(x.shape)}, got ${showShape(shape)}`);
  }
  let result = x;
  // Neighbouring axes are summed together, the last ones first so that earlier axis numbers stay valid.
  for (let end = padded.length; end > 0; ) {
    let start = end;
    while (start > 0 && padded[start - 1] === 1) start--;
    const extent = x.shape.slice(start, end).reduce((a, b) => a * b, 1);
    if (start < end && extent > 1) result = sum(result, start, end);
    end = start < end ? start : end - 1;
  }
  return reshape(result, shape);
}
