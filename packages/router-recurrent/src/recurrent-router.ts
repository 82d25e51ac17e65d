// The layerwise recurrent router (Qiu et al. 2024, arXiv 2408.06793, eq. 2-6). For the same token, from one MoE layer to
// the next:
//
//     u_l ── P_l ──> x'_l ──┐
//                           ├── cell ──> h_l ── G_l ──> logits of layer l
//     h_{l-1} ──────────────┘             └──────────> layer l + 1
//
// The cell is one for all layers; P_l and G_l are each layer's own. h_0 = 0. The state is not detached: the gradient of
// every later layer reaches the cell and the projections before it. The paper's ablations are options, and another router
// may stand where G_l does.

import { type InitStyle, linearBias, linearWeight } from "@webmoe/nn";
import { type AnyRouter, defineRouter, type Router, scoreFlops } from "@webmoe/router";
import {
  add,
  fold,
  type Init,
  type MapLeaves,
  map,
  mapTree,
  projectRows,
  scoreState,
  stopGradient,
  type Tensor,
} from "@webmoe/tensor";
import { type Cell, gru, lstm, type Memory, rnn } from "./cells";

/** The width and kind of the recurrent cell, the ablations of the paper, and the router behind it. */
export interface RecurrentRouterOptions {
  /** Width p of the state. Default 128, as in the paper. */
  dim?: number;
  /** Default "gru" (tables 6 and 7 of the paper compare them). */
  cell?: "gru" | "rnn" | "lstm";
  /** "layer": P_l of each layer before the cell; "none": the cell reads u_l itself (table 6, S-proj). */
  projection?: "layer" | "none";
  /** Whether a layer sees the state of the one before. Without, h_l = cell(x'_l, 0) (section 5, NP). Default true. */
  state?: boolean;
  /** Let no gradient flow back through the state (section 5, detach-h). The scores are the same. */
  detachState?: boolean;
  /**
   * Add alpha times the layer before's own logits, not what had been added to them (table 5, r-a; the paper does not say
   * which). Default 0.
   */
  residual?: number;
  /** Let no gradient flow back through those logits (table 5, detach-r). */
  detachResidual?: boolean;
  /** Biases in P_l and G_l. The cell always has its own. Default false. */
  bias?: boolean;
  /**
   * "torch" (default): the initial values of torch.nn, as in the paper's models on enwik8; "normal": standard deviation 0.02 throughout,
   * biases of the cell included, as in its large ones. There scores begin ten times smaller, and experts are told apart later.
   */
  init?: InitStyle;
  /** A router that scores the state in place of G_l: `recurrentRouter({ head: xmoeRouter() })` (table 2). */
  head?: AnyRouter;
}

type Shared = { [cell in "gru" | "rnn" | "lstm" | "head"]?: unknown };

interface Layer {
  projection?: Init; // [p, D]
  projectionBias?: Init;
  gate?: Init; // [E, p]
  gateBias?: Init;
  head?: unknown;
}

/** What the router hands from layer to layer. */
export interface RecurrentCarry {
  /** The cell's state after the last MoE layer. */
  memory?: Memory;
  /** This layer's logits, for the residual; [T, E]. */
  logits?: Tensor;
  /** What the router behind the recurrent stage hands on. */
  head?: unknown;
}

const cells: Record<"gru" | "rnn" | "lstm", Cell<unknown, never>> = { gru, rnn, lstm };

/** The recurrent router. L (dp [+ p] + pE [+ E]) + 6p^2 + 6p parameters with a GRU; 2p^2 + 2p are an RNN's, 8p^2 + 8p an LSTM's. */
export function recurrentRouter({
  dim: width = 128,
  cell = "gru",
  projection = "layer",
  state = true,
  detachState = false,
  residual = 0,
  detachResidual = false,
  bias = false,
  init = "torch",
  head,
}: RecurrentRouterOptions = {}): Router<Shared, Layer, RecurrentCarry, { head: unknown }> {
  return defineRouter<Shared, Layer, RecurrentCarry, { head: unknown }>({
    name: head ? `recurrent+${head.name}` : "recurrent",
    init: (shape, key) => {
      const { dim, experts, layers } = shape;
      const inner = head?.init({ ...shape, dim: width }, fold(key, "head"));
      const initLayer = (index: number): Layer => {
        const own = fold(key, `layers.${index}`);
        return {
          ...(projection === "layer" && {
            projection: linearWeight([width, dim], fold(own, "projection"), init),
            ...(bias && { projectionBias: linearBias(width, dim, fold(own, "projection"), init) }),
          }),
          ...(inner
            ? { head: inner.layers[index] }
            : {
                gate: linearWeight([experts, width], fold(own, "gate"), init),
                ...(bias && { gateBias: linearBias(experts, width, fold(own, "gate"), init) }),
              }),
        };
      };
      return {
        shared: {
          [cell]: cells[cell].init(projection === "layer" ? width : dim, width, fold(key, cell), init),
          ...(inner && { head: inner.shared }),
        },
        layers: Array.from({ length: layers }, (_, index) => initLayer(index)),
        ...(inner?.buffers !== undefined && { buffers: { head: inner.buffers } }),
      };
    },
    ...(head && {
      flops: (shape) => {
        const plain = scoreFlops(recurrentRouter({ dim: width, cell, projection, bias, init }), shape);
        const gates = 2 * shape.layers * shape.experts * (width + (bias ? 1 : 0));
        return plain - gates + scoreFlops(head, { ...shape, dim: width });
      },
    }),
    score: (input) => {
      const { x, shared, layer, carry, buffers } = input;
      const projected = layer.projection ? plusBias(projectRows(x, layer.projection), layer.projectionBias) : x;
      const before = detachState ? detached(carry?.memory) : carry?.memory;
      const memory = cells[cell].next(projected, before, shared[cell] as never); // [T, p]
      const scored = head
        ? head.score({
            ...input,
            x: memory.state,
            shared: shared.head,
            layer: layer.head,
            carry: carry?.head,
            buffers: buffers?.head,
          })
        : { logits: plusBias(scoreState(memory.state, layer.gate!), layer.gateBias) };
      const handedOn: RecurrentCarry = {
        ...(state && { memory }),
        ...(residual !== 0 && { logits: scored.logits }),
        ...(scored.carry !== undefined && { head: scored.carry }),
      };
      return {
        logits: carry?.logits
          ? addScaled(scored.logits, detachResidual ? stopGradient(carry.logits) : carry.logits, residual)
          : scored.logits,
        losses: scored.losses,
        ...(Object.keys(handedOn).length > 0 && { carry: handedOn }),
      };
    },
    ...(head?.select && { select: (input) => head.select!({ ...input, buffers: input.buffers?.head }) }),
    ...(head?.afterStep && {
      afterStep: ({ buffers, shared, layers, ...step }) => ({
        head: head.afterStep!({
          ...step,
          buffers: buffers.head,
          shared: shared.head,
          layers: layers.map((layer) => layer.head),
        }) as MapLeaves<unknown, Tensor>,
      }),
    }),
  });
}

function plusBias(x: Tensor, bias: Tensor | undefined): Tensor {
  return bias ? add(x, bias) : x;
}

function addScaled(logits: Tensor, before: Tensor, alpha: number): Tensor {
  return map("logitResidual", [logits, before], (own, before) => own.add(before.mul(alpha)));
}

function detached(memory: Memory | undefined): Memory | undefined {
  return memory && (mapTree(memory, (tensor) => stopGradient(tensor as Tensor)) as unknown as Memory);
}
