import { gruBackward, gruForward } from "@webmoe/webgpu";
import { showShape } from "../shape";
import { place, reshape, type Tensor, withGradients } from "../tensor";
import { sumOfRows } from "./reduce";

/** What a GRU cell reads; weights and biases hold the reset, update and candidate parts in that order. */
export interface GruCellInputs {
  /** What is read at this step, [T, C]. */
  x: Tensor;
  /** The state of before, [T, p]; zero where it is missing. */
  state?: Tensor;
  /** W_i of the reset, update and candidate gates under one another, [3p, C]. */
  inputWeight: Tensor;
  /** W_h of the same gates, [3p, p]. */
  hiddenWeight: Tensor;
  /** b_i of the same gates, [3p]. */
  inputBias: Tensor;
  /** b_h of the same gates, [3p]. */
  hiddenBias: Tensor;
}

/** The two products of a GRU cell with its biases; every one holds the reset, update and candidate parts in that order. */
export interface GruGateInputs {
  /** x W_i^T, [T, 3p]. */
  input: Tensor;
  /** h W_h^T, [T, 3p]. */
  hidden: Tensor;
  /** [3p] each. */
  inputBias: Tensor;
  /** What is added to the products of the state, [3p]. */
  hiddenBias: Tensor;
  /** h, [T, p]. */
  state: Tensor;
}

/** States rounded to f16 by the kernel that made them: the next cell and the gate multiply their gradients by them. */
export const roundedStates = new WeakMap<Tensor, Tensor<"u32">>();

/** The next state of a GRU cell from its matrix products, [T, p]. */
export function gruGates({ input, hidden, inputBias, hiddenBias, state }: GruGateInputs): Tensor {
  const [rows, width] = state.shape as [number, number];
  for (const [name, tensor, size] of [
    ["input", input, rows * 3 * width],
    ["hidden", hidden, rows * 3 * width],
    ["inputBias", inputBias, 3 * width],
    ["hiddenBias", hiddenBias, 3 * width],
  ] as const) {
    if (tensor.size !== size) {
      throw new Error(`gruGates: ${name} needs ${size} elements for a state ${showShape(state.shape)}, got ${tensor}`);
    }
  }
  const sizes = { rows, width };
  const { next, gates } = place(gruForward, { input, hidden, inputBias, hiddenBias, state }, sizes, {
    next: state.shape,
    gates: [rows, 4 * width],
  });
  withGradients("gruGates", [next], [input, hidden, inputBias, hiddenBias, state], (dnext) => {
    const { dinput, dhidden, dstate } = place(gruBackward, { gates, state, dnext: dnext! }, sizes, {
      dinput: [rows, 3 * width],
      dhidden: [rows, 3 * width],
      dstate: state.shape,
    });
    const bias = (d: Tensor) => ({ rows: [d], total: sumOfRows });
    return [reshape(dinput, input.shape), reshape(dhidden, hidden.shape), bias(dinput), bias(dhidden), dstate];
  });
  return next;
}
