import { CELL_ROWS, fitsGruUnits, gruCellBackward, gruCellForward, gruParameters, productFits } from "@webmoe/webgpu";
import { showShape } from "../shape";
import { place, type Tensor, u32, withGradient } from "../tensor";
import { constant } from "./formulas";
import { gruGates } from "./gru";
import { halves } from "./halves";
import { matmul, plainProduct, productOnto, productOverHalfRows, productsOverRows } from "./matmul";
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

/** The next state of a GRU cell (Cho et al. 2014 in the form of torch.nn.GRUCell), [T, p]. */
export function gruCell(inputs: GruCellInputs): Tensor {
  if (onMatrixUnits(inputs)) return cellOnMatrixUnits(inputs);
  const { x, inputWeight, hiddenWeight, inputBias, hiddenBias } = inputs;
  const state = inputs.state ?? constant(x.trace, [x.shape[0]!, hiddenWeight.shape[1]!], 0);
  return gruGates({
    input: matmul(x, inputWeight, { transposeB: true }),
    hidden: matmul(state, hiddenWeight, { transposeB: true }),
    inputBias,
    hiddenBias,
    state,
  });
}

/**
 * The scores of a cell's state [T, p] by a gate [E, p]: state gate^T, [T, E]. On matrix units the gradients of every layer's own
 * gate are one kernel.
 */
export function scoreState(state: Tensor, gate: Tensor): Tensor {
  const stateHalves = roundedStates.get(state);
  const [m, n, k] = [gate.shape[0]!, gate.shape.at(-1)!, state.shape[0]!];
  const fits = productFits({ m, n, k }, { transposeA: true, transposeB: false });
  if (!stateHalves || !fits) return matmul(state, gate, { transposeB: true });
  const logits = plainProduct(state, gate, { transposeB: true });
  return withGradient("scoreState", logits, [state, gate], (dlogits) => [
    productOnto(dlogits, gate, {}),
    { rows: [dlogits, stateHalves], totals: productsOverRows },
  ]);
}

/** Checks the shapes of a cell's inputs, and says whether the kernels of a whole cell take them. */
function onMatrixUnits({ x, state, inputWeight, hiddenWeight, inputBias, hiddenBias }: GruCellInputs): boolean {
  const [rows, columns] = x.shape as [number, number];
  const width = state ? state.shape.at(-1)! : hiddenWeight.shape.at(-1)!;
  for (const [name, tensor, shape] of [
    ["x", x, [rows, columns]],
    ["state", state ?? { shape: [rows, width] }, [rows, width]],
    ["inputWeight", inputWeight, [3 * width, columns]],
    ["hiddenWeight", hiddenWeight, [3 * width, width]],
    ["inputBias", inputBias, [3 * width]],
    ["hiddenBias", hiddenBias, [3 * width]],
  ] as const) {
    if (tensor.shape.join() === shape.join()) continue;
    throw new Error(
      `gruCell: ${name} needs shape ${showShape(shape)} for a state ${showShape([rows, width])}, got ${tensor}`,
    );
  }
  return fitsGruUnits({ rows, inputs: columns, width }, x.trace.target);
}

/** States rounded to f16 by the kernel that made them: the next cell and the gate multiply their gradients by them. */
const roundedStates = new WeakMap<Tensor, Tensor<"u32">>();

/** One kernel forward and one backward; the operands of both are rounded to f16. */
function cellOnMatrixUnits(inputs: GruCellInputs): Tensor {
  const { x, state, inputWeight, hiddenWeight, inputBias, hiddenBias } = inputs;
  const [rows, width] = [x.shape[0]!, hiddenWeight.shape[1]!];
  const sizes = { rows, width };
  const { weights, biases } = place(
    gruParameters,
    { inputWeight, hiddenWeight, inputBias, hiddenBias },
    { width },
    { weights: u32(6 * width, width / 2), biases: [6 * width] },
  );
  const xHalves = halves(x);
  const { next, kept, nextHalves } = place(
    gruCellForward,
    { xHalves, state: state ?? biases, weights, biases },
    { ...sizes, isFirst: state ? 0 : 1 },
    { next: [rows, width], kept: u32(rows, 3 * width), nextHalves: u32(rows, width / 2) },
  );
  roundedStates.set(next, nextHalves);
  const given = [x, inputWeight, hiddenWeight, inputBias, hiddenBias, ...(state ? [state] : [])];
  return withGradient("gruCell", next, given, (dnext) => {
    const { dx, dstate, dinput, dhidden, dbias } = place(gruCellBackward, { kept, dnext, weights }, sizes, {
      dx: x.shape,
      dstate: next.shape,
      dinput: u32(rows, (3 * width) / 2),
      dhidden: u32(rows, (3 * width) / 2),
      dbias: [rows / CELL_ROWS, 6 * width],
    });
    const stateHalves = state && (roundedStates.get(state) ?? halves(state));
    return [
      dx,
      { rows: [dinput, xHalves], total: productOverHalfRows },
      stateHalves
        ? { rows: [dhidden, stateHalves], total: productOverHalfRows }
        : { onto: (base) => base ?? constant(x.trace, hiddenWeight.shape, 0) },
      { rows: [dbias], total: sumOfRows, range: [0, 3 * width] },
      { rows: [dbias], total: sumOfRows, range: [3 * width, 6 * width] },
      dstate,
    ];
  });
}
