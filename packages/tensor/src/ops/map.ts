import { Expression } from "@webmoe/webgpu";
import { derivatives } from "../derivatives";
import { type AnyTensor, type Tensor, withGradient } from "../tensor";
import { placeFormulas } from "./formulas";
import { sumTo } from "./sum-to";

/** Storage buffers that every adapter lets a kernel bind. */
const MAX_BUFFERS = 8;

/** Most inputs a formula may have: what leaves room for its result. */
export const MAX_INPUTS = MAX_BUFFERS - 1;

/**
 * Apply a formula to every element of the inputs, stretched to a common shape, in one kernel:
 * `map("swish", [x], (x) => x.mul(x.sigmoid()))`. The gradient is the formula's derivative, for as many inputs at once as a
 * kernel can bind. u32 inputs take part as numbers and get no gradient.
 */
export function map(name: string, inputs: AnyTensor[], formula: (...x: Expression[]) => Expression): Tensor {
  if (inputs.length > MAX_INPUTS) throw new Error(`${name}: takes at most ${MAX_INPUTS} inputs, got ${inputs.length}`);
  const result = formula(...inputs.map((_, index) => Expression.input(index)));
  const [y] = placeFormulas(name, inputs, [result]);
  return withGradient(name, y!, inputs, (dy) => {
    const slopes = derivatives(result, inputs.length).map((slope) => slope?.mul(Expression.input(inputs.length)));
    // Where the slope is 1 the gradient is dy itself, which takes no kernel.
    const passes = slopes.map((slope) => slope?.kind === "input" && slope.value === inputs.length);
    const wanted = inputs.flatMap(({ dtype }, index) =>
      slopes[index] && !passes[index] && dtype === "f32" ? [index] : [],
    );
    const gradients = inputs.map(({ dtype, shape }, index) =>
      passes[index] && dtype === "f32" ? sumTo(dy, shape) : undefined,
    );
    const atOnce = Math.max(1, MAX_BUFFERS - inputs.length - 1);
    for (let start = 0; start < wanted.length; start += atOnce) {
      const group = wanted.slice(start, start + atOnce);
      const formulas = group.map((index) => slopes[index]!);
      placeFormulas(`${name}Backward`, [...inputs, dy], formulas).forEach((part, position) => {
        const index = group[position]!;
        gradients[index] = sumTo(part, inputs[index]!.shape);
      });
    }
    return gradients;
  });
}
