// Attention on matrix units (tensor cores): q, k, v and dout come rounded to f16, probabilities and their gradients are
// rounded as they are computed; sums, maxima and the saved log-sum-exp stay f32. Four subgroups own rows of one head, 32
// each, whose fragments they hold in registers, and 16 rows of the other side pass by in a round:
//
//   own rows [32, headDim] . passing rows [16, headDim]  ──f32──>  strip [32, 16]  ──exp, f16──>  strip  ──>  sums [32, headDim]
//
// A fragment's elements cannot be reached, so scores go through the subgroup's strip of workgroup memory, where every lane
// takes a row, or half of one. A round has two phases with a barrier after each:
//
//   matrix units   the scores of this round, and the sums of the round before
//   lanes          scores to probabilities; the rows of the next round move from registers to the panels
//
// Forward, a subgroup does both products. Backward, a pair of subgroups shares its 32 rows: the first computes s and the
// second dp, then each of their lanes turns half a row of both into p and ds, and the first adds up dv and the second dk (or
// each its half of dq along the head).
//
// The running maximum of FlashAttention would rescale sums in every round, through memory. Here the maximum that the
// exponents refer to may lag behind the true one by a factor of 2^14, which f16 still holds; only past that does the
// workgroup rescale (the lazy rescaling of FlashAttention-4).

import type { KernelSource } from "../kernel";
import {
  addProducts,
  blocksOf,
  eachRow,
  fourFrom,
  matrixSource,
  OPERAND,
  ownFragments,
  PASSING,
  type Passing,
  panelsOf,
  partOf,
  passingFragment,
  range,
  reloadBlock,
  results,
  SHARE,
  SUBGROUPS,
  scoreBlock,
  stagePassing,
  storeBlock,
} from "./attention-matrix-tiles";
import type { AttentionSizes } from "./attention-shape";
import { each } from "./matmul-parts";

/** log2 of the largest weight before sums are rescaled. */
const HEADROOM = 14;

/** A workgroup owns 128 queries; keys and values pass by. */
export function forward(shape: AttentionSizes): KernelSource {
  const { context, headDim } = shape;
  const blocks = blocksOf(headDim);
  const owned = SUBGROUPS * SHARE;
  const operands: [Passing, Passing] = [
    { buffer: "qkv", at: partOf(1), slots: 1 },
    { buffer: "qkv", at: partOf(2), slots: 1 },
  ];
  const panels = panelsOf(operands, 1, headDim);
  const staged = stagePassing(operands, panels, shape);
  const keys = range(blocks).map((k) => passingFragment("keys", k, "col", panels));
  const values = range(blocks).map((j) => passingFragment("values", j, "row", panels));
  return matrixSource(
    shape,
    { ownedRows: owned, panels },
    { halves: ["qkv"], written: "out" },
    "var<workgroup> grown: atomic<u32>;",
    /* wgsl */ `
  let first = (${Math.ceil(context / owned) - 1}u - group.x) * ${owned}u;
  let shareRow = first + subgroup % ${SUBGROUPS}u * ${SHARE}u;
  let ownRow = shareRow + subgroupLane % 32u;
  let rounds = (min(first + ${owned}u, ${context}u) + ${PASSING - 1}u) / ${PASSING}u;
  let keys = &panels[0];
  let values = &panels[1];
  let fromQuery = partAt(0u, min(ownRow, ${context - 1}u));
  ${staged.declare}
${staged.load(0, "0u")}
${ownFragments("q", headDim, (column) => `unitOf_qkv(fromQuery, ${column}u)`)}
${results("sum", blocks)}
  var reference = 0.0;
  var total = 0.0;
${staged.store(0)}
${staged.load(0, `${PASSING}u`)}
${staged.load(1, "0u")}
  workgroupBarrier();
  for (var round = 0u; round < ${Math.ceil(context / PASSING)}u; round++) {
    if (round >= rounds) { break; }
    let begin = round * ${PASSING}u;
${scoreBlock("q", keys)}
    if (round > 0u) {
${addProducts("sum", values)}
    }
    workgroupBarrier();
${staged.store(0)}
${staged.store(1)}
    if (round + 1u < rounds) {
${staged.load(0, `begin + ${2 * PASSING}u`)}
${staged.load(1, `begin + ${PASSING}u`)}
    }
    var shrink = 1.0;
${each(4, (v) => `    var x${v} = bitcast<vec4f>((*strip)[stripRow + ${v}u]);`)}
    if (begin + ${PASSING - 1}u > shareRow) {
${each(4, (v) => `      x${v} = select(vec4f(-1e30), x${v}, begin + ${fourFrom(4 * v)} <= vec4u(ownRow));`)}
    }
    let peaks = max(max(x0, x1), max(x2, x3));
    let peak = max(max(peaks.x, peaks.y), max(peaks.z, peaks.w)) * log2Scale;
    if (round == 0u) { reference = peak; }
    if (peak > reference + ${HEADROOM}.0) {
      shrink = exp2(reference - peak);
      reference = peak;
      total *= shrink;
      atomicStore(&grown, round);
    }
${each(4, (v) => `    let p${v} = exp2(x${v} * log2Scale - reference);`)}
    let totals = (p0 + p1) + (p2 + p3);
    total += (totals.x + totals.y) + (totals.z + totals.w);
    (*strip)[stripRow + ${OPERAND}u] = halfs(p0, p1);
    (*strip)[stripRow + ${OPERAND + 1}u] = halfs(p2, p3);
    // No row grows in round 0, the value that the flag starts with.
    if (workgroupUniformLoad(&grown) == max(round, 1u)) {
${each(
  blocks,
  (j) => `      workgroupBarrier();
${storeBlock("sum", `_${j}`)}
      workgroupBarrier();
${each(4, (v) => `      (*strip)[stripRow + ${v}u] = bitcast<vec4u>(bitcast<vec4f>((*strip)[stripRow + ${v}u]) * shrink);`)}
      workgroupBarrier();
${reloadBlock("sum", `_${j}`)}`,
)}
      workgroupBarrier();
    }
  }
${addProducts("sum", values)}
  if (ownRow < ${context}u) {
    lse[group.y * ${context}u + ownRow] = (reference + log2(total)) * ${Math.LN2};
  }
  let inverse = 1.0 / total;
  let to = outAt(ownRow);
${eachRow("sum", blocks, headDim, (x, number) => `write_out(to + ${number}u, ${x} * inverse);`)}`,
  );
}
