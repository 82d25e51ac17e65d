import {
  CELL_ROWS,
  fitsGruUnits,
  gruBackward,
  gruCellBackward,
  gruCellForward,
  gruForward,
  gruParameters,
} from "@webmoe/webgpu";
import { showShape } from "../shape";
import { place, reshape, type Tensor, u32, withGradients } from "../tensor";
import { halves } from "./halves";
import { matmul, productOverHalfRows } from "./matmul";
import { sumOfRows } from "./reduce";

/** What a GRU cell reads; weights and biases hold the reset, update and candidate parts in that order. */
export interface GruCellInputs {
  /** What is read at this step, [T, C]. */
  x: Tensor;
  /** The state of before, [T, p]. */
  state: Tensor;
  /** W_i of the reset, update and candidate gates under one another, [3p, C]. */
  inputWeight: Tensor;
  /** W_h of the same gates, [3p, p]. */
  hiddenWeight: Tensor;
  /** b_i of the same gates, [3p]. */
  inputBias: Tensor;
  /** b_h of the same gates, [3p]. */
  hiddenBias: Tensor;
}

/** The next state of a GRU cell (Cho et al. 2014 in the form of torch.nn.GRUCell), [T, p]. */
export function gruCell(inputs: GruCellInputs): Tensor {
  const { x, state, inputWeight, hiddenWeight, inputBias, hiddenBias } = inputs;
  const [rows, width] = state.shape as [number, number];
  const columns = x.shape.at(-1)!;
  for (const [name, tensor, shape] of [
    ["x", x, [rows, columns]],
    ["inputWeight", inputWeight, [3 * width, columns]],
    ["hiddenWeight", hiddenWeight, [3 * width, width]],
    ["inputBias", inputBias, [3 * width]],
    ["hiddenBias", hiddenBias, [3 * width]],
  ] as const) {
    if (tensor.shape.join() === shape.join()) continue;
    throw new Error(
      `gruCell: ${name} needs shape ${showShape(shape)} for a state ${showShape(state.shape)}, got ${tensor}`,
    );
  }
  if (fitsGruUnits({ rows, inputs: columns, width }, x.trace.target)) return cellOnMatrixUnits(inputs);
  return gruGates({
    input: matmul(x, inputWeight, { transposeB: true }),
    hidden: matmul(state, hiddenWeight, { transposeB: true }),
    inputBias,
    hiddenBias,
    state,
  });
}

/** One kernel forward and one backward; the operands of both are rounded to f16. */
function cellOnMatrixUnits(inputs: GruCellInputs): Tensor {
  const { x, state, inputWeight, hiddenWeight, inputBias, hiddenBias } = inputs;
  const [rows, width] = state.shape as [number, number];
  const sizes = { rows, width };
  const { weights, biases } = place(
    gruParameters,
    { inputWeight, hiddenWeight, inputBias, hiddenBias },
    { width },
    { weights: u32(6 * width, width / 2), biases: [6 * width] },
  );
  const xHalves = halves(x);
  const { next, kept, stateHalves } = place(gruCellForward, { xHalves, state, weights, biases }, sizes, {
    next: state.shape,
    kept: u32(rows, 3 * width),
    stateHalves: u32(rows, width / 2),
  });
  const given = [x, state, inputWeight, hiddenWeight, inputBias, hiddenBias];
  withGradients("gruCell", [next], given, (dnext) => {
    const { dx, dstate, dinput, dhidden, dbias } = place(gruCellBackward, { kept, dnext: dnext!, weights }, sizes, {
      dx: x.shape,
      dstate: state.shape,
      dinput: u32(rows, (3 * width) / 2),
      dhidden: u32(rows, (3 * width) / 2),
      dbias: [rows / CELL_ROWS, 6 * width],
    });
    return [
      dx,
      dstate,
      { rows: [dinput, xHalves], total: productOverHalfRows },
      { rows: [dhidden, stateHalves], total: productOverHalfRows },
      { rows: [dbias], total: sumOfRows, range: [0, 3 * width] },
      { rows: [dbias], total: sumOfRows, range: [3 * width, 6 * width] },
    ];
  });
  return next;
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
