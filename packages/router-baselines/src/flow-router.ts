// "Switchable normalizing flows router": a summary of the RMoE paper lists it among the baselines, and no paper defines it. This
// is our reading of the name:
//
//     (a, b) = P u          the token, projected to two halves
//     flow f                b' = b exp(tanh(S_f a)) + T_f a,   a' = a exp(tanh(S'_f b')) + T'_f b'    (with biases)
//     switch                pi = softmax(W u) over the flows
//     logits                G sum_f pi_f (a', b')_f + c
//
// A flow is two affine couplings (Dinh et al. 2017, Real NVP, arXiv 1605.08803, eq. 7-8), so it can be inverted. tanh keeps the
// scales between 1/e and e.

import { type InitStyle, linear, linearBias, linearWeight } from "@webmoe/nn";
import { defineRouter } from "@webmoe/router";
import {
  add,
  broadcastTo,
  constantInit,
  fold,
  type Init,
  type Key,
  logSumExp,
  map,
  matmul,
  mul,
  reshape,
  sum,
  type Tensor,
} from "@webmoe/tensor";

/** The sizes of the flow and how its weights start. */
export interface FlowRouterOptions {
  /** Width p of the projected token; even. Default 32. */
  dim?: number;
  /** Number F of flows. Default 4. */
  flows?: number;
  /** Initial values: normal with standard deviation 0.02, or PyTorch's for a linear layer. */
  init?: InitStyle;
}

/** One affine coupling of every flow: what the half `from` does to the other; h = p / 2. */
export interface Coupling<L> {
  scale: L; // [F, h, h]
  scaleBias: L; // [F, 1, h]
  shift: L; // [F, h, h]
  shiftBias: L; // [F, 1, h]
}

interface Layer {
  left: Init; // [h, D]
  right: Init; // [h, D]
  switch: Init; // [F, D]
  rightward: Coupling<Init>;
  leftward: Coupling<Init>;
  gateLeft: Init; // [E, h]
  gateRight: Init; // [E, h]
  gateBias: Init; // [E]
}

/** Flows on a projected token with a learned soft switch, then a linear gate. L (dp + Fd + 4F (h^2 + h) + pE + E) parameters, h = p / 2. */
export function flowRouter({ dim: width = 32, flows = 4, init = "normal" }: FlowRouterOptions = {}) {
  if (width % 2 !== 0) throw new Error(`flowRouter: needs an even dim to cut in halves, got ${width}`);
  const half = width / 2;
  return defineRouter<Record<string, never>, Layer, undefined>({
    name: "flow",
    init: ({ dim, experts, layers }, key) => ({
      shared: {},
      layers: Array.from({ length: layers }, (_, index) => {
        const own = fold(key, `layers.${index}`);
        const weight = (name: string, shape: number[]) => linearWeight(shape, fold(own, name), init);
        return {
          left: weight("left", [half, dim]),
          right: weight("right", [half, dim]),
          switch: weight("switch", [flows, dim]),
          rightward: initCoupling(flows, half, fold(own, "rightward"), init),
          leftward: initCoupling(flows, half, fold(own, "leftward"), init),
          gateLeft: weight("gateLeft", [experts, half]),
          gateRight: weight("gateRight", [experts, half]),
          gateBias: linearBias(experts, width, fold(own, "gate"), init),
        };
      }),
    }),
    score: ({ x, layer }) => {
      const rows = x.shape[0]!;
      const each = (half: Tensor) => broadcastTo(half, [flows, rows, half.shape[1]!]); // [F, T, h]
      const [left, right] = [each(linear(x, layer.left)), each(linear(x, layer.right))];
      const movedRight = couple(left, right, layer.rightward);
      const movedLeft = couple(movedRight, left, layer.leftward);

      // The switch's scores twice, by token to sum over flows and by flow to weigh them.
      const total = logSumExp(linear(x, layer.switch)); // [T]
      const share = map("switch", [linear(layer.switch, x), total], (score, total) => score.sub(total).exp()); // [F, T]
      const mixed = (moved: Tensor) => reshape(sum(mul(moved, reshape(share, [flows, rows, 1])), 0, 1), [rows, half]);
      return {
        logits: add(
          linear(mixed(movedLeft), layer.gateLeft),
          linear(mixed(movedRight), layer.gateRight),
          layer.gateBias,
        ),
      };
    },
  });
}

/** to * exp(tanh(S from)) + T from, for every flow: [F, T, h]. */
export function couple(from: Tensor, to: Tensor, coupling: Coupling<Tensor>): Tensor {
  const { scale, shift } = affine(from, coupling);
  return map("couple", [to, scale, shift], (to, scale, shift) => to.mul(scale.tanh().exp()).add(shift));
}

/** What `couple` was given as `to`, from its result. */
export function uncouple(from: Tensor, moved: Tensor, coupling: Coupling<Tensor>): Tensor {
  const { scale, shift } = affine(from, coupling);
  return map("uncouple", [moved, scale, shift], (moved, scale, shift) =>
    moved.sub(shift).mul(scale.tanh().neg().exp()),
  );
}

function affine(from: Tensor, { scale, scaleBias, shift, shiftBias }: Coupling<Tensor>) {
  return {
    scale: add(matmul(from, scale, { transposeB: true }), scaleBias),
    shift: add(matmul(from, shift, { transposeB: true }), shiftBias),
  };
}

function initCoupling(flows: number, half: number, key: Key, style: InitStyle): Coupling<Init> {
  return {
    scale: linearWeight([flows, half, half], fold(key, "scale"), style),
    scaleBias: constantInit([flows, 1, half], 0),
    shift: linearWeight([flows, half, half], fold(key, "shift"), style),
    shiftBias: constantInit([flows, 1, half], 0),
  };
}
