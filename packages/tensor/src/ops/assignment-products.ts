// Experts of a few tokens, whose assignments are not sorted. Without gradients: where they are wanted, `recomputed` records the
// sorted form (experts.ts) in their place.

import {
  assignmentGate,
  assignmentProduct,
  assignmentSum as assignmentSumKernel,
  type GateActivation,
} from "@webmoe/webgpu";
import { showShape } from "../shape";
import { place, type Tensor, withoutGradient } from "../tensor";

/**
 * Each assignment's expert applied to its token, [A, out]. x is [T, in], expert u32 [A] in token order with none as 0xffffffff;
 * weight [E, out, in], or with a `gate` [E, 2, out, in]: activation(first x) * second x. Has no gradient.
 */
export function assignmentLinear(x: Tensor, weight: Tensor, expert: Tensor<"u32">, gate?: GateActivation): Tensor {
  const [experts, out, inner] = [weight.shape[0]!, weight.shape.at(-2)!, weight.shape.at(-1)!];
  const tokens = x.shape[0]!;
  const rank = gate ? 4 : 3;
  if (weight.shape.length !== rank || x.shape.at(-1) !== inner || expert.size % tokens !== 0) {
    const form = gate ? "[experts, 2, out, in]" : "[experts, out, in]";
    throw new Error(
      `assignmentLinear: needs x [tokens, in], weight ${form} and equally many experts for each token, ` +
        `got ${showShape(x.shape)}, ${showShape(weight.shape)} and ${expert.size} experts`,
    );
  }
  const sizes = { tokens, each: expert.size / tokens, experts, out, in: inner };
  const given = { x, weight, expert };
  const shape = { y: [expert.size, out] };
  const { y } = gate
    ? place(assignmentGate, given, sizes, shape, { activation: gate })
    : place(assignmentProduct, given, sizes, shape);
  withoutGradient("assignmentLinear", [y], [x, weight]);
  return y;
}

/**
 * The weighted sum of every token's experts, [T, out]: y [A, in] goes through each assignment's expert, weight [E, out, in], and
 * counts `share` f32 [A]. Has no gradient.
 */
export function assignmentSum(y: Tensor, weight: Tensor, expert: Tensor<"u32">, share: Tensor, tokens: number): Tensor {
  const [experts, out, inner] = weight.shape as [number, number, number];
  if (weight.shape.length !== 3 || y.size !== expert.size * inner || share.size !== expert.size) {
    throw new Error(
      `assignmentSum: needs y [assignments, in], weight [experts, out, in] and a share for each assignment, ` +
        `got ${showShape(y.shape)}, ${showShape(weight.shape)} and ${share.size} shares`,
    );
  }
  const sizes = { tokens, each: expert.size / tokens, experts, out, in: inner };
  const result = place(assignmentSumKernel, { y, weight, expert, share }, sizes, { out: [tokens, out] });
  withoutGradient("assignmentSum", [result.out], [y, weight, share]);
  return result.out;
}
