// The layerwise recurrent router (Qiu et al. 2024, arXiv 2408.06793, eq. 2-6). For the same token, from one MoE layer to
// the next:
//
//     u_l ── P_l ──> x'_l ──┐
//                           ├── GRU ──> h_l ── G_l ──> logits of layer l
//     h_{l-1} ──────────────┘            └──────────> layer l + 1
//
// The GRU cell is one for all layers; P_l and G_l are each layer's own. h_0 = 0. The state is not detached: the gradient of
// every later layer reaches the GRU and the projections before it.

import { type InitStyle, linear, linearBias, linearWeight } from "@webmoe/nn";
import { defineRouter } from "@webmoe/router";
import { constant, fold, gruGates, type Init, type Key, normal, type Tensor, uniform } from "@webmoe/tensor";

export interface RecurrentRouterOptions {
  /** Width p of the state. Default 128, as in the paper. */
  dim?: number;
  /** Biases in P_l and G_l. The GRU always has its own. Default false. */
  bias?: boolean;
  /** "normal": standard deviation 0.02 throughout, GRU biases included; "torch": the defaults of nn.GRUCell and nn.Linear. */
  init?: InitStyle;
}

/** One GRU cell in PyTorch's layout: reset, update and candidate parts stacked. */
interface Cell<L> {
  inputWeight: L; // [3p, p]
  hiddenWeight: L; // [3p, p]
  inputBias: L; // [3p]
  hiddenBias: L; // [3p]
}

interface Layer {
  projection: Init; // [p, D]
  projectionBias?: Init;
  gate: Init; // [E, p]
  gateBias?: Init;
}

/** The GRU router. L (dp [+ p] + pE [+ E]) + 6p^2 + 6p parameters. */
export function recurrentRouter({ dim: width = 128, bias = false, init = "normal" }: RecurrentRouterOptions = {}) {
  return defineRouter<{ gru: Cell<Init> }, Layer, Tensor>({
    name: "recurrent",
    init: ({ dim, experts, layers }, key) => ({
      shared: { gru: initCell(width, fold(key, "gru"), init) },
      layers: Array.from({ length: layers }, (_, index) => {
        const own = fold(key, `layers.${index}`);
        return {
          projection: linearWeight([width, dim], fold(own, "projection"), init),
          gate: linearWeight([experts, width], fold(own, "gate"), init),
          ...(bias && {
            projectionBias: linearBias(width, dim, fold(own, "projection"), init),
            gateBias: linearBias(experts, width, fold(own, "gate"), init),
          }),
        };
      }),
    }),
    score: ({ x, shared, layer, carry }) => {
      const state = carry ?? constant(x.trace, [x.shape[0]!, width], 0);
      const next = gruCell(linear(x, layer.projection, layer.projectionBias), state, shared.gru);
      return { logits: linear(next, layer.gate, layer.gateBias), carry: next };
    },
  });
}

/** torch.nn.GRUCell: x and state [T, p] to the next state [T, p]. */
export function gruCell(x: Tensor, state: Tensor, cell: Cell<Tensor>): Tensor {
  return gruGates({
    input: linear(x, cell.inputWeight),
    hidden: linear(state, cell.hiddenWeight),
    inputBias: cell.inputBias,
    hiddenBias: cell.hiddenBias,
    state,
  });
}

function initCell(width: number, key: Key, style: InitStyle): Cell<Init> {
  const draw = (name: string, shape: number[]) =>
    style === "torch" ? uniform(shape, 1 / Math.sqrt(width), fold(key, name)) : normal(shape, 0.02, fold(key, name));
  return {
    inputWeight: draw("inputWeight", [3 * width, width]),
    hiddenWeight: draw("hiddenWeight", [3 * width, width]),
    inputBias: draw("inputBias", [3 * width]),
    hiddenBias: draw("hiddenBias", [3 * width]),
  };
}
