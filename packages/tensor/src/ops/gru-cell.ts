import { fitsGruUnits, productFits } from "@webmoe/webgpu";
import { showShape } from "../shape";
import type { Tensor } from "../tensor";
import { constant } from "./formulas";
import { type GruCellInputs, gruGates, roundedStates } from "./gru";
import { matmul } from "./matmul";
import { matrixUnits } from "./matrix-units";

/** The next state of a GRU cell (Cho et al. 2014 in the form of torch.nn.GRUCell), [T, p]. */
export function gruCell(inputs: GruCellInputs): Tensor {
  if (onMatrixUnits(inputs)) return matrixUnits().gruCell(inputs);
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
  return matrixUnits().scoreState(state, stateHalves, gate);
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
