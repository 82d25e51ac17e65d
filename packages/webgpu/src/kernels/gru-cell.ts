// A GRU cell on matrix units: both products and the gates in one kernel, forward and backward. A workgroup takes 64 rows and
// its eight subgroups 32 rows and a quarter of the columns each; operands are rounded to f16 on their way into workgroup memory
// (panels of rows, one for each half of the rows and each quarter of the columns), sums and gates are f32.
//
//   forward    64 columns of the state: a subgroup sums r | z | n of x | n of h, 16 columns each, so that all that a new
//              state needs meets in one strip of 16 rows: [x | h] passes by in steps of 32, x first
//   backward   one workgroup for x and one for h: the gates' gradients are made of dnext and what the forward kernel kept,
//              stored for the gradients of the weights, summed for those of the biases, and multiplied
//
// The forward kernel keeps what the backward one multiplies dnext by, rounded as the products of them are:
//   kept [T, 3p] u32:   f16 dr/dnext, dz/dnext, dn/dnext, dn/dnext r   (p / 2 u32 each)   and f32 z   (p u32)

import type { Kernel } from "../kernel";
import { backward } from "./gru-matrix-backward";
import { forward } from "./gru-matrix-forward";

export { CELL_ROWS } from "./matrix-shape";

/** Both weights [3p, p] rounded to f16 and under one another, two to a u32, and both biases. */
export const gruParameters = {
  name: "gruParameters",
  buffers: {
    inputWeight: "read",
    hiddenWeight: "read",
    inputBias: "read",
    hiddenBias: "read",
    weights: "write u32",
    biases: "write",
  },
  sizes: { width: "u32" },
  shareRepeats: "any size",
  source: ({ width }) => ({
    form: "items",
    items: 3 * width * width,
    wgsl: /* wgsl */ `
fn run(i: u32) {
  let third = 3u * sizes.width;
  let whole = third * sizes.width;
  let at = 2u * i;
  if (at < whole) {
    weights[i] = pack2x16float(vec2f(inputWeight[at], inputWeight[at + 1u]));
  } else {
    weights[i] = pack2x16float(vec2f(hiddenWeight[at - whole], hiddenWeight[at - whole + 1u]));
  }
  if (i < third) {
    biases[i] = inputBias[i];
    biases[third + i] = hiddenBias[i];
  }
}`,
  }),
} satisfies Kernel<string, "width">;

/**
 * next = (1 - z) n + z h, with the gates of gru.ts, x rounded to f16 by `packHalves`. Besides `kept` it leaves the next state
 * rounded so, for the gradients of the weights that read it. Where `isFirst` is 1, h counts as zero.
 */
export const gruCellForward = {
  name: "gruCellForward",
  buffers: {
    xHalves: "read u32",
    state: "read",
    weights: "read u32",
    biases: "read",
    next: "write",
    kept: "write u32",
    nextHalves: "write u32",
  },
  sizes: { rows: "u32", width: "u32", isFirst: "u32" },
  perCall: ["isFirst"],
  flops: ({ rows, width }) => 12 * rows * width * width,
  source: forward,
} satisfies Kernel<string, "rows" | "width" | "isFirst">;

/**
 * [dr | dz | dn] of the inputs' and of the hidden products, f16, two to a u32 [T, 3p / 2] each; dx = dinput W_i and
 * dstate = dhidden W_h + dnext z; dbias [T / 64, 6p] holds the sums of both over the rows of each workgroup.
 */
export const gruCellBackward = {
  name: "gruCellBackward",
  buffers: {
    kept: "read u32",
    dnext: "read",
    weights: "read u32",
    dx: "write",
    dstate: "write",
    dinput: "write u32",
    dhidden: "write u32",
    dbias: "write",
  },
  sizes: { rows: "u32", width: "u32" },
  flops: ({ rows, width }) => 12 * rows * width * width,
  source: backward,
} satisfies Kernel<string, "rows" | "width">;
