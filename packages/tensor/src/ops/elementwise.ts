import type { AnyTensor, Tensor } from "../tensor";
import { MAX_INPUTS, map } from "./map";

/** x_1 + x_2 + ..., element by element; the shapes stretch to a common one. One kernel adds as many as it can bind. */
export function add(...inputs: AnyTensor[]): Tensor {
  let terms = inputs;
  const sum = (some: AnyTensor[]) => map("add", some, (...x) => x.reduce((total, term) => total.add(term)));
  while (terms.length > MAX_INPUTS) terms = [sum(terms.slice(0, MAX_INPUTS)), ...terms.slice(MAX_INPUTS)];
  return sum(terms);
}

/** a - b, element by element; the shapes stretch to a common one. */
export const sub = (a: AnyTensor, b: AnyTensor): Tensor => map("sub", [a, b], (a, b) => a.sub(b));

/** a * b, element by element; the shapes stretch to a common one. For products of matrices see `matmul`. */
export const mul = (a: AnyTensor, b: AnyTensor): Tensor => map("mul", [a, b], (a, b) => a.mul(b));

/** a / b, element by element; the shapes stretch to a common one. */
export const div = (a: AnyTensor, b: AnyTensor): Tensor => map("div", [a, b], (a, b) => a.div(b));

/** x * factor, where the factor is a number that never changes. */
export const scale = (x: AnyTensor, factor: number): Tensor => map("scale", [x], (x) => x.mul(factor));

/** The hyperbolic tangent of every element. */
export const tanh = (x: AnyTensor): Tensor => map("tanh", [x], (x) => x.tanh());

/** 1 / (1 + exp(-x)) of every element. */
export const sigmoid = (x: AnyTensor): Tensor => map("sigmoid", [x], (x) => x.sigmoid());

/** e^x of every element. */
export const exp = (x: AnyTensor): Tensor => map("exp", [x], (x) => x.exp());

/** The natural logarithm of every element. */
export const log = (x: AnyTensor): Tensor => map("log", [x], (x) => x.log());

/** x * sigmoid(x) */
export const silu = (x: AnyTensor): Tensor => map("silu", [x], (x) => x.mul(x.sigmoid()));

/** silu(gate) * up, the inner activation of a SwiGLU feed-forward layer (Shazeer 2020). */
export const swiglu = (gate: AnyTensor, up: AnyTensor): Tensor =>
  map("swiglu", [gate, up], (gate, up) => gate.mul(gate.sigmoid()).mul(up));
