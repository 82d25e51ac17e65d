// The moving parts of a sparse expert layer. Assignments (token, expert) are sorted by expert into rows; every expert's
// rows start on a multiple of the row tile, so that a tile of a matrix product belongs to one expert. All sizes are those
// of the worst case and known when the program is traced; tiles past the last row leave at once.
//
//   assignment a ── slot[a] ──> padded row p        padded row p ── source[p] ──> assignment a, or none
//                                                   padded row p ── rowToken[p] ──> its token
//   tile of rows ── tileExpert ──> its expert       part i ── parts[i] ──> its rows, which have one expert

import {
  addSpares,
  combine,
  combineBackward,
  expertCount,
  expertPlace,
  expertScan,
  expertSortSizes,
  groupedMatmul,
  groupedMatmulGather,
  groupedTakesHalves,
  groupedWeightGradient,
  groupedWeightGradientGather,
  repeatIndex,
} from "@webmoe/webgpu";
import { showShape } from "../shape";
import { type AnyTensor, type Dtype, place, type Tensor, u32, withGradient, withoutGradient } from "../tensor";
import { constant } from "./formulas";
import { halves } from "./halves";

/** Assignments sorted by expert. */
export interface ExpertGroups {
  /** How many experts there are, E. */
  experts: number;
  /** Number of assignments A and of padded rows P. */
  assignments: number;
  /** Rows P: those of each expert fill whole tiles. */
  rows: number;
  /** Token of each assignment, u32 [A]. */
  token: Tensor<"u32">;
  /** The row of each assignment, u32 [A]; none for one without expert. */
  slot: Tensor<"u32">;
  /** The assignment of each row, u32 [P]; none for padding. */
  source: Tensor<"u32">;
  /** The token of each row, u32 [P]; none for padding. */
  rowToken: Tensor<"u32">;
  /** The expert of each tile of rows, u32 [P / tile]. */
  tileExpert: Tensor<"u32">;
  /** First row, rows, expert and spare sum of each part that gradients of weights are summed in, u32 [E + spares, 4]. */
  parts: Tensor<"u32">;
  /** How many parts more than experts there are at most. */
  spares: number;
  /** Assignments of each expert, f32 [E]. */
  load: Tensor;
}

/** The token of each assignment when every row of `x` [T, ...] has `each` of them, in order: u32 [T * each]. */
export function tokenOfAssignment(x: AnyTensor, each: number): Tensor<"u32"> {
  const items = x.shape[0]! * each;
  const y = x.trace.temporary([items], "u32", "tokenOfAssignment");
  x.trace.recording.dispatch(repeatIndex, { y: y.slice }, { items, each }, undefined);
  return y;
}

/**
 * Sort assignments by expert, stably and without atomics. token and expert are u32 [A]; expert 0xffffffff is left out.
 * `atMost` bounds how many are not left out, where that is known to be below A: memory for rows is sized by it. `width` is how
 * many elements the smallest of the experts' matrices has, where a device's share of them counts.
 */
export function groupByExpert(
  token: Tensor<"u32">,
  expert: Tensor<"u32">,
  experts: number,
  { atMost = expert.size, width }: { atMost?: number; width?: number } = {},
): ExpertGroups {
  const types: Dtype[] = [token.dtype, expert.dtype];
  if (token.size !== expert.size || types.some((dtype) => dtype !== "u32")) {
    throw new Error(`groupByExpert: needs u32 token and expert of one length, got ${token} and ${expert}`);
  }
  const { target } = expert.trace;
  const { assignments, chunks } = expertSortSizes(expert.size, experts, target);
  const { tiles, tile, rows, most, spares } = expertSortSizes(Math.min(atMost, assignments), experts, target, width);
  const { counts, rank } = place(
    expertCount,
    { expert },
    { assignments, experts, chunks },
    { counts: u32(chunks, experts), rank: u32(assignments) },
  );
  const { parts, tileExpert, tileRows, load } = place(
    expertScan,
    { counts },
    { experts, chunks, tiles, tile, most, spares },
    { parts: u32(experts + spares, 4), tileExpert: u32(tiles), tileRows: u32(tiles), load: [experts] },
  );
  const { slot, source, rowToken } = place(
    expertPlace,
    { expert, token, counts, rank, tileRows },
    { assignments, experts, rows, tile },
    { slot: u32(assignments), source: u32(rows), rowToken: u32(rows) },
  );
  withoutGradient("groupByExpert", [load], [expert]);
  return { experts, assignments, rows, token, slot, source, rowToken, tileExpert, parts, spares, load };
}

/**
 * Each expert's own linear map over its rows: weight [E, out, in], result [P, out]. x is [P, in], or with `gather` the
 * tokens [T, in], of which every assignment reads its own. Padding rows mean nothing: their gradient has to be zero, as
 * that of `combineExperts` is. Rows past the last expert's are not written.
 */
export function expertLinear(
  x: Tensor,
  weight: Tensor,
  groups: ExpertGroups,
  options: { gather?: boolean } = {},
): Tensor {
  const [experts, out, inner] = weight.shape as [number, number, number];
  const { rows, rowToken, tileExpert, parts, spares, slot, assignments } = groups;
  if (weight.shape.length !== 3 || experts !== groups.experts || x.shape[1] !== inner) {
    throw new Error(
      `expertLinear: needs x [rows, in] and weight [${groups.experts}, out, in], got ${showShape(x.shape)} and ${showShape(weight.shape)}`,
    );
  }
  const { gather = false } = options;
  const sizes = { rows, out, in: inner, experts };
  const asHalves = groupedTakesHalves(sizes, x.trace.target);
  /** An operand as the products take it. */
  const operand = (tensor: Tensor): AnyTensor => (asHalves ? halves(tensor) : tensor);
  const forward = { direction: "forward", halves: asHalves } as const;
  const given = { a: operand(x), weight: operand(weight), tileExpert };
  const { y } = gather
    ? place(groupedMatmulGather, { ...given, rowToken }, sizes, { y: [rows, out] }, forward)
    : place(groupedMatmul, given, sizes, { y: [rows, out] }, forward);
  // What products on matrix units hand on was summed of f16 operands and will be one.
  const { mayRound } = x.trace.recording;
  if (asHalves) mayRound.add(y.slice.storage);
  return withGradient("expertLinear", y, [x, weight], (dy) => {
    const backward = { direction: "backward", halves: asHalves } as const;
    const back = { a: operand(dy), weight: operand(weight), tileExpert };
    const dRows = place(groupedMatmul, back, sizes, { y: [rows, inner] }, backward).y;
    if (asHalves) mayRound.add(dRows.slice.storage);
    const tokens = x.shape[0]!;
    const dx = gather
      ? place(
          combine,
          { y: dRows, slot, weight: constant(x.trace, [assignments], 1) },
          { tokens, topK: assignments / tokens, dim: inner },
          { out: x.shape },
        ).out
      : dRows;
    const made = { a: operand(x), dy: operand(dy), parts };
    const sums = { dweight: weight.shape, spare: [spares, out, inner] };
    const { dweight, spare } = gather
      ? place(groupedWeightGradientGather, { ...made, rowToken }, { ...sizes, spares }, sums, { halves: asHalves })
      : place(groupedWeightGradient, made, { ...sizes, spares }, sums, { halves: asHalves });
    if (spares > 0) {
      const sparesOf = { parts0: parts, spare0: spare, dweight0: dweight };
      place(addSpares, sparesOf, { width0: out * inner, spares0: spares }, {});
    }
    return [dx, dweight];
  });
}

/** The weighted sum of every token's rows: y [P, D] and weight [A] to [T, D]. A must be a multiple of `tokens`, in token order. */
export function combineExperts(y: Tensor, weight: Tensor, groups: ExpertGroups, tokens: number): Tensor {
  const dim = y.shape[1]!;
  const { slot, source, token, rows, assignments } = groups;
  if (assignments % tokens !== 0 || weight.size !== assignments) {
    throw new Error(
      `combineExperts: needs a weight for each of ${assignments} assignments of ${tokens} tokens, got ${weight}`,
    );
  }
  const sizes = { tokens, topK: assignments / tokens, dim };
  const { out } = place(combine, { y, slot, weight }, sizes, { out: [tokens, dim] });
  return withGradient("combineExperts", out, [y, weight], (dout) => {
    const given = { dout, y, source, slot, token, weight };
    const shapes = { dy: y.shape, dweight: weight.shape };
    const { dy, dweight } = place(combineBackward, given, { rows, assignments, dim }, shapes);
    return [dy, dweight];
  });
}
