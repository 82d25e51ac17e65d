// Recurrent cells over the layers of a model, as torch.nn defines them: each takes x [T, in] and what the cell returned at the
// layer before, and returns what it hands on. Without a memory the state is zero.

import type { InitStyle } from "@webmoe/nn";
import { linear } from "@webmoe/nn";
import {
  add,
  constant,
  fold,
  gruCell,
  type Init,
  type Key,
  map,
  normal,
  type Tensor,
  tanh,
  uniform,
} from "@webmoe/tensor";

/** What a cell hands on: the state that is read [T, p], and the LSTM's long memory [T, p]. */
export interface Memory {
  state: Tensor;
  long?: Tensor;
}

/** W_i x + b_i and W_h h + b_h; the GRU stacks its reset, update and candidate parts: [3p, in], [3p, p], [3p], [3p]. */
export interface Gate<L> {
  inputWeight: L;
  hiddenWeight: L;
  inputBias: L;
  hiddenBias: L;
}

/** One gate of an LSTM each, [p, in] and [p, p]. */
export type LstmGates<L> = Record<"input" | "forget" | "candidate" | "output", Gate<L>>;

/** A kind of cell: what it starts from, and one step. */
export interface Cell<P, Q> {
  init(inputs: number, width: number, key: Key, style: InitStyle): P;
  next(x: Tensor, before: Memory | undefined, parameters: Q): Memory;
}

/** h' = (1 - z) n + z h (torch.nn.GRUCell). 3p (in + p) + 6p parameters. */
export const gru: Cell<Gate<Init>, Gate<Tensor>> = {
  init: (inputs, width, key, style) => initGate(3 * width, inputs, width, key, style),
  next: (x, before, cell) => ({ state: gruCell({ x, state: before?.state, ...cell }) }),
};

/** h' = tanh(W_i x + b_i + W_h h + b_h) (torch.nn.RNNCell). p (in + p) + 2p parameters. */
export const rnn: Cell<Gate<Init>, Gate<Tensor>> = {
  init: (inputs, width, key, style) => initGate(width, inputs, width, key, style),
  next: (x, before, cell) => ({ state: tanh(gateSum(x, before?.state ?? zeros(x, cell.hiddenWeight), cell)) }),
};

/** c' = f c + i g, h' = o tanh(c') (torch.nn.LSTMCell). 4p (in + p) + 8p parameters. */
export const lstm: Cell<LstmGates<Init>, LstmGates<Tensor>> = {
  init: (inputs, width, key, style) => {
    const gate = (name: string) => initGate(width, inputs, width, fold(key, name), style);
    return { input: gate("input"), forget: gate("forget"), candidate: gate("candidate"), output: gate("output") };
  },
  next: (x, before, { input, forget, candidate, output }) => {
    const state = before?.state ?? zeros(x, input.hiddenWeight);
    const gates = [input, forget, candidate].map((gate) => gateSum(x, state, gate));
    const long = map("lstmMemory", [...gates, before?.long ?? zeros(x, input.hiddenWeight)], (i, f, g, c) =>
      f!.sigmoid().mul(c!).add(i!.sigmoid().mul(g!.tanh())),
    );
    const read = map("lstmState", [gateSum(x, state, output), long], (o, c) => o.sigmoid().mul(c.tanh()));
    return { state: read, long };
  },
};

function gateSum(x: Tensor, state: Tensor, gate: Gate<Tensor>): Tensor {
  return add(linear(x, gate.inputWeight), linear(state, gate.hiddenWeight), gate.inputBias, gate.hiddenBias);
}

/** A state of zeros, [T, p]; it goes through the same products as any other. */
function zeros(x: Tensor, hiddenWeight: Tensor): Tensor {
  return constant(x.trace, [x.shape[0]!, hiddenWeight.shape[1]!], 0);
}

/** Biases too are drawn: normal as in the authors' large models, uniform as in torch.nn. */
function initGate(rows: number, inputs: number, width: number, key: Key, style: InitStyle): Gate<Init> {
  const draw = (name: string, shape: number[]) =>
    style === "torch" ? uniform(shape, 1 / Math.sqrt(width), fold(key, name)) : normal(shape, 0.02, fold(key, name));
  return {
    inputWeight: draw("inputWeight", [rows, inputs]),
    hiddenWeight: draw("hiddenWeight", [rows, width]),
    inputBias: draw("inputBias", [rows]),
    hiddenBias: draw("hiddenBias", [rows]),
  };
}
