// Attention in f32 with vectors of four, for heads of 32 and 64. As in attention-tiled.ts a workgroup owns rows of one head
// and rows of the other side pass by, but tiles are turned on their way into workgroup memory, so that a vector holds one
// element of four neighbouring rows:
//
//   tile [headDim, rows / 4] of vec4f        scores of 4 x 4 rows: per element one vector of each side, 16 multiplications
//
//   forward    64 queries, 32 keys a round: lane (q, c) has 4 queries with 4 keys, then with a part of the head
//   backward   the lower half of the lanes computes s, the upper half dp, from tiles that lie one behind the other; s and dp
//              meet in workgroup memory, where p and ds stay for the products with the passing rows
//
// In scores a warp takes 8 x 4 places in zigzag, as in matmul-vector.ts.
//
// Together the tiles take at most 24 KiB, so that two workgroups run side by side on a multiprocessor with 48: weights lie
// where the passing rows were, which the second products read from memory as they are.

import type { KernelSource } from "../kernel";
import type { AttentionSizes } from "./attention-shape";
import { AXES, addScores, log2Scale, partOf, passingRow, rowsFrom, source, turn } from "./attention-vector-tiles";
import { each } from "./matmul-parts";

/** A workgroup owns 64 queries; keys and values pass by, 32 at a time. */
export function forward(shape: AttentionSizes): KernelSource {
  const { context, headDim } = shape;
  const [owned, passing] = [64, 32];
  /** Vectors of the head that a lane sums. */
  const parts = headDim / 32;
  const sums = (write: (query: number, part: number) => string) => each(4, (q) => each(parts, (e) => write(q, e)));
  const values = passingRow(partOf(2), passing, shape);
  return source(
    shape,
    owned,
    // Keys, then the weights that they get.
    { queries: headDim * 16, passed: Math.max(headDim * 8, passing * 16) },
    ["qkv", "out"],
    /* wgsl */ `
  // The last queries see the most keys: they start first.
  let first = (${Math.ceil(context / owned) - 1}u - group.x) * ${owned}u;
  let last = min(first + ${owned}u, ${context}u);
  let q = lane / 2u % 8u + lane / 32u % 2u * 8u;
  let c = lane % 2u + lane / 16u % 2u * 2u + lane / 64u * 4u;
  let ownRows = ${rowsFrom("first + q * 4u")};
  ${turn("queries", "0u", partOf(0), owned, "first", shape)}
${sums((q, e) => `  var sum${q}${e} = vec4f();`)}
  var largest = vec4f(-1e30);
  var total = vec4f();
  for (var begin = 0u; begin < last; begin += ${passing}u) {
    workgroupBarrier();
    ${turn("passed", "0u", partOf(1), passing, "begin", shape)}
    workgroupBarrier();
${each(4, (k) => `    var score${k} = vec4f();`)}
    for (var d = 0u; d < ${headDim}u; d++) {
      let query = queries[d * 16u + q];
      let key = passed[d * 8u + c];
${addScores("query", "key", AXES)}
    }
${each(4, (k) => `    score${k} = select(vec4f(-1e30), score${k} * ${log2Scale(headDim)}, vec4u(begin + c * 4u + ${k}u) <= ownRows);`)}
    // The largest of a query's scores, over all lanes with keys of this round.
    workgroupBarrier();
    passed[c * 16u + q] = max(max(score0, score1), max(score2, score3));
    workgroupBarrier();
    var bound = largest;
    for (var other = 0u; other < 8u; other++) { bound = max(bound, passed[other * 16u + q]); }
    workgroupBarrier();
    let shrink = exp2(largest - bound);
    largest = bound;
${each(4, (k) => `    let weight${k} = exp2(score${k} - bound);\n    passed[(c * 4u + ${k}u) * 16u + q] = weight${k};`)}
    total = total * shrink + ((weight0 + weight1) + (weight2 + weight3));
${sums((q, e) => `    sum${q}${e} *= shrink.${AXES[q]};`)}
    workgroupBarrier();
    ${values.first}
    for (var key = 0u; key < ${passing}u; key++) {
      let weight = passed[key * 16u + q];
      let at = ${values.at("key")} + c * ${parts}u;
${each(parts, (e) => `      let value${e} = qkv[at + ${e}u];`)}
${sums((q, e) => `      sum${q}${e} = fma(vec4f(weight.${AXES[q]}), value${e}, sum${q}${e});`)}
    }
  }
  workgroupBarrier();
  passed[c * 16u + q] = total;
  workgroupBarrier();
  total = vec4f();
  for (var other = 0u; other < 8u; other++) { total += passed[other * 16u + q]; }
${each(
  4,
  (query) => `  if (ownRows.${AXES[query]} < ${context}u) {
    let to = outAt(ownRows.${AXES[query]}) + c * ${parts}u;
${each(parts, (e) => `    out[to + ${e}u] = sum${query}${e} / total.${AXES[query]};`)}
    if (c == 0u) {
      lse[statistics + ownRows.${AXES[query]}] = (largest.${AXES[query]} + log2(total.${AXES[query]})) * ${Math.LN2};
    }
  }`,
)}`,
  );
}
