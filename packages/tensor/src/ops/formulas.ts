import { Expression, elementwise, fill, type Kernel } from "@webmoe/webgpu";
import { broadcastShapes, type Shape } from "../shape";
import { type AnyTensor, oneTrace, place, type Tensor, type Trace } from "../tensor";

/**
 * Compute formulas over inputs stretched to a common shape, all in one kernel, without a gradient; `map` adds that.
 * `shape` is the result's where the inputs alone do not say it.
 */
export function placeFormulas(name: string, inputs: AnyTensor[], formulas: Expression[], shape?: Shape): Tensor[] {
  const result = broadcastShapes(name, [...inputs.map((input) => input.shape), ...(shape ? [shape] : [])]);
  // Inputs that no formula reads are not bound: a derivative often needs fewer than the formula.
  const used = usedInputs(formulas);
  const bound = inputs.filter((_, index) => used.has(index));
  const places = new Map(
    inputs.flatMap((_, index) => (used.has(index) ? [index] : [])).map((index, at) => [index, at]),
  );
  if (bound.length === 0) return formulas.map(({ value }) => constant(oneTrace(name, inputs), result, value));

  const { kernel, sizes } = elementwise(
    name,
    result,
    bound.map((input) => ({
      shape: [...Array(result.length - input.shape.length).fill(1), ...input.shape],
      dtype: input.dtype,
    })),
    formulas.map((formula) => formula.replaceInputs((index) => Expression.input(places.get(index)!))),
  );
  const written = place<string, string, undefined, Record<string, Shape>>(
    kernel as Kernel<string, string>,
    Object.fromEntries(bound.map((input, index) => [`a${index}`, input])),
    sizes,
    Object.fromEntries(formulas.map((_, index) => [`y${index}`, result])),
  );
  return formulas.map((_, index) => written[`y${index}`]!);
}

/** A tensor filled with one number. */
export function constant(trace: Trace, shape: Shape, value: number): Tensor {
  const y = trace.temporary(shape, "f32", "constant");
  trace.recording.dispatch(fill, { y: y.slice }, { items: y.size, value }, undefined);
  return y;
}

function usedInputs(formulas: Expression[]): Set<number> {
  const used = new Set<number>();
  for (const formula of formulas) {
    formula.replaceInputs((index) => {
      used.add(index);
      return Expression.input(index);
    });
  }
  return used;
}
