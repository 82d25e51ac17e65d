import { type InitStyle, linear, linearWeight } from "@webmoe/nn";
import { defineRouter, matrixSelection, shares } from "@webmoe/router";
import {
  constantInit,
  Expression,
  fold,
  type Init,
  map,
  reshape,
  stopGradient,
  sum,
  type Tensor,
} from "@webmoe/tensor";

/** Where the coefficient of the sparsity loss starts and how fast it moves. */
export interface RemoeRouterOptions {
  /** First coefficient of the L1 loss. Default 1e-8. */
  coefficient?: number;
  /** What the coefficient is multiplied or divided by after a step. Default 1.2. */
  factor?: number;
  /** Initial values: normal with standard deviation 0.02, or PyTorch's for a linear layer. */
  init?: InitStyle;
}

interface Buffers {
  coefficient: Init; // []
  /** K / E, the share of experts that should be active, and the number of MoE layers: []. */
  target: Init;
  layers: Init;
}

/**
 * Weights are relu(W_l u), and every expert with a positive one is active: no top-k (Wang et al. 2024, ReMoE, arXiv 2412.14711).
 * Its own loss keeps K experts a token active on average,
 *
 *     lambda / (L T) * sum over l, t, e of f_le relu(W_l u_t)_e,   f_le = E / (K T) * (tokens active for e in l)   (eq. 9-10)
 *
 * with lambda times 1.2 after a step with too many active, divided by it after one with too few (eq. 7). The layer's balance
 * loss is reported, but has no gradient. L d E parameters.
 */
export function remoeRouter({ coefficient = 1e-8, factor = 1.2, init = "normal" }: RemoeRouterOptions = {}) {
  return defineRouter<Record<string, never>, { weight: Init }, undefined, Buffers>({
    name: "remoe",
    init: ({ dim, experts, layers, topK }, key) => ({
      shared: {},
      layers: Array.from({ length: layers }, (_, index) => ({
        weight: linearWeight([experts, dim], fold(key, `layers.${index}`), init),
      })),
      buffers: {
        coefficient: constantInit([], coefficient),
        target: constantInit([], topK / experts),
        layers: constantInit([], layers),
      },
    }),
    score: ({ x, layer, mask, buffers }) => {
      const logits = linear(x, layer.weight);
      const gates = reluOf(logits, mask);
      const active = sum(
        map("active", [gates], (gate) => Expression.constant(0).less(gate)),
        0,
        1,
      ); // [1, E]
      const { coefficient, target, layers } = buffers!;
      const terms = map(
        "remoeLoss",
        [sum(gates, 0, 1), active, sum(mask), coefficient, target, layers],
        (gate, active, tokens, coefficient, target, layers) =>
          gate!.mul(active!).div(tokens!.mul(tokens!).max(1)).mul(coefficient!).div(target!.mul(layers!)),
      );
      return { logits, losses: { sparsity: sum(terms) } };
    },
    select: ({ logits, mask }) => {
      const weight = reluOf(logits, mask);
      const probabilities = stopGradient(shares(weight, reshape(mask, [mask.size, 1])));
      return matrixSelection({ chosen: weight, weight, probabilities });
    },
    afterStep: ({ buffers, load, tokens }) => {
      const next = map(
        "nextCoefficient",
        [buffers.coefficient, sum(load), buffers.target],
        (coefficient, active, target) => {
          const share = active.div(load.size * tokens);
          return coefficient.mul(target.less(share).select(factor, share.less(target).select(1 / factor, 1)));
        },
      );
      return { ...buffers, coefficient: next };
    },
  });
}

/** relu(logits), 0 for padding; [T, E]. */
function reluOf(logits: Tensor, mask: Tensor): Tensor {
  return map("relu", [logits, reshape(mask, [mask.size, 1])], (x, mask) => x.max(0).mul(mask));
}
