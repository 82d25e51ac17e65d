import { accumulate, copy, copyTo, elementwise, Expression, fill, type Kernel } from "@webmoe/webgpu";
import { derivatives } from "../derivatives";
import { broadcastShapes, sameShape, type Shape } from "../shape";
import { oneTrace, place, reshape, Tensor, type Trace, withGradient, withoutGradient } from "../tensor";
import { sumTo } from "./sum-to";

/** Most inputs a fused elementwise op may have: what still leaves room for results in 8 storage buffers. */
const MAX_INPUTS = 7;

/**
 * Apply a formula to every element of the inputs, stretched to a common shape, in one kernel:
 * `map("swish", [x], (x) => x.mul(x.sigmoid()))`. The gradient is the formula's derivative, in one kernel too.
 * u32 inputs take part as numbers and get no gradient.
 */
export function map(name: string, inputs: Tensor[], formula: (...x: Expression[]) => Expression): Tensor {
  if (inputs.length > MAX_INPUTS) throw new Error(`${name}: takes at most ${MAX_INPUTS} inputs, got ${inputs.length}`);
  const result = formula(...inputs.map((_, index) => Expression.input(index)));
  const [y] = placeFormulas(name, inputs, [result]);
  return withGradient(name, y!, inputs, (dy) => {
    const dyInput = Expression.input(inputs.length);
    const slopes = derivatives(result, inputs.length).map((slope) => slope?.mul(dyInput));
    const wanted = slopes.flatMap((slope, index) => (slope && inputs[index]!.dtype === "f32" ? [index] : []));
    const gradients: (Tensor | undefined)[] = inputs.map(() => undefined);
    const perKernel = 8 - inputs.length - 1;
    for (let start = 0; start < wanted.length; start += Math.max(1, perKernel)) {
      const group = wanted.slice(start, start + Math.max(1, perKernel));
      const parts = placeFormulas(`${name}Backward`, [...inputs, dy], group.map((index) => slopes[index]!));
      group.forEach((index, position) => {
        gradients[index] = sumTo(parts[position]!, inputs[index]!.shape);
      });
    }
    return gradients;
  });
}

function placeFormulas(name: string, inputs: Tensor[], formulas: Expression[]): Tensor[] {
  const used = usedInputs(formulas);
  const shape = broadcastShapes(
    name,
    inputs.map((input) => input.shape),
  );
  // Inputs that no formula reads are not bound: a derivative often needs fewer than the formula.
  const bound = inputs.filter((_, index) => used.has(index));
  const place0 = new Map([...used].sort((a, b) => a - b).map((index, position) => [index, position]));
  const described = bound.map(({ shape: own, dtype }) => ({
    shape: [...Array(shape.length - own.length).fill(1), ...own] as number[],
    dtype,
  }));
  const { kernel, sizes } = elementwise(name, shape, described, formulas.map((formula) => renumber(formula, place0)));
  if (bound.length === 0) return formulas.map((formula) => constant(oneTrace(name, inputs), shape, formula.value));
  const outputs = Object.fromEntries(formulas.map((_, index) => [`y${index}`, shape]));
  const written = place<string, string, undefined, string>(
    kernel as Kernel<string, string>,
    Object.fromEntries(bound.map((input, index) => [`a${index}`, input])),
    sizes,
    outputs,
  );
  return formulas.map((_, index) => written[`y${index}`]!);
}

function usedInputs(formulas: Expression[]): Set<number> {
  const used = new Set<number>();
  const seen = new Set<Expression>();
  const visit = (node: Expression) => {
    if (seen.has(node)) return;
    seen.add(node);
    if (node.kind === "input") used.add(node.value);
    node.args.forEach(visit);
  };
  formulas.forEach(visit);
  return used;
}

function renumber(formula: Expression, places: Map<number, number>): Expression {
  return formula.replaceInputs((index) => Expression.input(places.get(index)!));
}

/** A tensor filled with one number. */
export function constant(trace: Trace, shape: Shape, value: number): Tensor {
  const y = trace.temporary(shape, "f32", "constant");
  trace.recording.dispatch(fill, { y: y.slice }, { items: Math.max(1, y.size), value }, undefined);
  return y;
}

/** The same elements in memory of their own. */
export function copyOf(x: Tensor): Tensor {
  const { y } = place(copy, { x }, { items: x.size }, { y: { shape: x.shape, dtype: x.dtype } });
  return withGradient("copyOf", y, [x], (dy) => [dy]);
}

/** Replace the values of `target` in place; for state, which outlives the program. */
export function copyInto(target: Tensor, x: Tensor): void {
  place(copyTo, { x, y: target }, { items: x.size, offset: 0 }, {});
}

/** Tensors of one shape as the rows of one: n of [...] to [n, ...]. Has no gradient. */
export function stack(tensors: Tensor[]): Tensor {
  const { shape, size, dtype } = tensors[0]!;
  const trace = oneTrace("stack", tensors);
  const y = trace.temporary([tensors.length, ...shape], dtype, "stack");
  tensors.forEach((x, index) => {
    if (!sameShape(x.shape, shape)) throw new Error(`stack: needs tensors of one shape, got ${tensors.join(" and ")}`);
    place(copyTo, { x, y }, { items: size, offset: index * size }, {});
  });
  withoutGradient("stack", [y], tensors);
  return y;
}

/** Add `x` to `target` in place; for state, which outlives the program. */
export function addInPlace(target: Tensor, x: Tensor): void {
  place(accumulate, { x, y: target }, { items: x.size }, {});
}

const sumFormula = (...x: Expression[]) => x.reduce((total, term) => total.add(term));

/** x_1 + x_2 + ... */
export function add(...inputs: Tensor[]): Tensor {
  if (inputs.length <= MAX_INPUTS) return map("add", inputs, sumFormula);
  return add(add(...inputs.slice(0, MAX_INPUTS)), ...inputs.slice(MAX_INPUTS));
}

export const sub = (a: Tensor, b: Tensor): Tensor => map("sub", [a, b], (a, b) => a.sub(b));
export const mul = (a: Tensor, b: Tensor): Tensor => map("mul", [a, b], (a, b) => a.mul(b));
export const div = (a: Tensor, b: Tensor): Tensor => map("div", [a, b], (a, b) => a.div(b));
export const scale = (x: Tensor, factor: number): Tensor => map("scale", [x], (x) => x.mul(factor));
export const tanh = (x: Tensor): Tensor => map("tanh", [x], (x) => x.tanh());
export const sigmoid = (x: Tensor): Tensor => map("sigmoid", [x], (x) => x.sigmoid());
export const exp = (x: Tensor): Tensor => map("exp", [x], (x) => x.exp());
export const log = (x: Tensor): Tensor => map("log", [x], (x) => x.log());
/** x * sigmoid(x) */
export const silu = (x: Tensor): Tensor => map("silu", [x], (x) => x.mul(x.sigmoid()));
/** silu(gate) * up, the inner activation of a SwiGLU feed-forward layer (Shazeer 2020). */
export const swiglu = (gate: Tensor, up: Tensor): Tensor =>
  map("swiglu", [gate, up], (gate, up) => gate.mul(gate.sigmoid()).mul(up));

/** `x` repeated to a larger shape that it broadcasts to. */
export function broadcastTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  const ones = Array(shape.length - x.shape.length).fill(1);
  const padded = reshape(x, [...ones, ...x.shape]);
  return map("broadcastTo", [padded, constant(x.trace, shape, 0)], (x, zero) => x.add(zero));
}
