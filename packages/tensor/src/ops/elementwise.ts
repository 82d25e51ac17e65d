import type { AnyTensor, Tensor } from "../tensor";
import { MAX_INPUTS, map } from "./map";

/** x_1 + x_2 + ... */
export function add(...inputs: AnyTensor[]): Tensor {
  if (inputs.length > MAX_INPUTS) return add(add(...inputs.slice(0, MAX_INPUTS)), ...inputs.slice(MAX_INPUTS));
  return map("add", inputs, (...x) => x.reduce((total, term) => total.add(term)));
}

export const sub = (a: AnyTensor, b: AnyTensor): Tensor => map("sub", [a, b], (a, b) => a.sub(b));
export const mul = (a: AnyTensor, b: AnyTensor): Tensor => map("mul", [a, b], (a, b) => a.mul(b));
export const div = (a: AnyTensor, b: AnyTensor): Tensor => map("div", [a, b], (a, b) => a.div(b));
export const scale = (x: AnyTensor, factor: number): Tensor => map("scale", [x], (x) => x.mul(factor));
export const tanh = (x: AnyTensor): Tensor => map("tanh", [x], (x) => x.tanh());
export const sigmoid = (x: AnyTensor): Tensor => map("sigmoid", [x], (x) => x.sigmoid());
export const exp = (x: AnyTensor): Tensor => map("exp", [x], (x) => x.exp());
export const log = (x: AnyTensor): Tensor => map("log", [x], (x) => x.log());

/** x * sigmoid(x) */
export const silu = (x: AnyTensor): Tensor => map("silu", [x], (x) => x.mul(x.sigmoid()));

/** silu(gate) * up, the inner activation of a SwiGLU feed-forward layer (Shazeer 2020). */
export const swiglu = (gate: AnyTensor, up: AnyTensor): Tensor =>
  map("swiglu", [gate, up], (gate, up) => gate.mul(gate.sigmoid()).mul(up));
