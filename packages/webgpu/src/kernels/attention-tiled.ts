// Attention in tiles: a workgroup owns a tile of queries (or, for their gradients, of keys) of one head and loops over
// tiles of the other side in shared memory.
//
//   128 invocations = 8 rows x 16 columns          owned tile [owned, headDim]      passing tile [passing, headDim]
//   scores [owned, passing]: invocation (y, x) has rows y * R + i and columns x + 16 * j
//   results [owned, headDim]: the same rows, elements x + 16 * j
//
// A column stride of 16 keeps neighbouring invocations on neighbouring banks. Rows of shared memory are one longer than
// headDim rounded up to 16, so that odd widths and ragged ends read zeros; only what exists is stored. Tiles shrink for
// wide heads to stay within workgroup memory; where the smallest are too large there is no shader.

import type { KernelSource } from "../kernel";
import type { AttentionSizes } from "./attention-shape";
import {
  eachProduct,
  eachResult,
  eachScore,
  load,
  partOf,
  result,
  scores,
  source,
  type Tiles,
  tilesWithin,
} from "./attention-tiles";
import { plainWeights } from "./attention-weights";

export { droppedWeights } from "./attention-weights";

/** Number among all queries of the owned row i. */
const ownedQuery = (t: Tiles) => `group.y * sizes.context + first + y * ${t.rows}u + i`;

/** A workgroup owns queries; keys and values pass by. */
export function forward(shape: AttentionSizes, memory: number, weights = plainWeights): KernelSource | undefined {
  const sides: [number, number][] = [
    [32, 32],
    [32, 16],
    [8, 16],
  ];
  const fitting = tilesWithin(memory, shape.headDim, sides, ({ owned, passing, stride, scoreStride }) => ({
    q: owned * stride,
    kv: passing * stride,
    p: owned * scoreStride,
  }));
  if (!fitting) return undefined;
  const { t, arrays } = fitting;
  return source(
    shape,
    t,
    weights.functions,
    arrays,
    /* wgsl */ `
  ${load("q", "qkv", partOf(0), t.owned, "first", t)}
  ${result("sum", t)}
  var largest = array<f32, ${t.rows}>();
  var total = array<f32, ${t.rows}>();
  for (var i = 0u; i < ${t.rows}u; i++) { largest[i] = -1e30; }
  let last = min(first + ${t.owned}u, sizes.context);
  for (var begin = 0u; begin < last; begin += ${t.passing}u) {
    workgroupBarrier();
    ${load("kv", "qkv", partOf(1), t.passing, "begin", t)}
    workgroupBarrier();
    ${scores("s", "q", "kv", t)}
    ${eachScore(t, `p[at] = select(-1e30, s[i][j] * scale, passingRow <= ownedRow && passingRow < sizes.context);`)}
    workgroupBarrier();
    for (var i = 0u; i < ${t.rows}u; i++) {
      var bound = largest[i];
      for (var r = 0u; r < ${t.passing}u; r++) { bound = max(bound, p[(y * ${t.rows}u + i) * ${t.scoreStride}u + r]); }
      let shrink = exp(largest[i] - bound);
      largest[i] = bound;
      total[i] *= shrink;
      for (var j = 0u; j < ${t.elements}u; j++) { sum[i][j] *= shrink; }
    }
    workgroupBarrier();
    ${eachScore(t, "p[at] = exp(p[at] - largest[i]);")}
    ${load("kv", "qkv", partOf(2), t.passing, "begin", t)}
    workgroupBarrier();
    ${eachProduct(
      t,
      `total[i] += p[at]; let weight = ${weights.one("p[at]", ownedQuery(t), "begin + r")};`,
      "sum[i][j] = fma(weight, kv[d], sum[i][j]);",
    )}
  }
  ${eachResult(
    t,
    "out[outAt(row, group.y) + d] = sum[i][j] / total[i];",
    "if (x == 0u) { lse[group.y * sizes.context + row] = largest[i] + log(total[i]); }",
  )}`,
  );
}
