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
import {
  AXES,
  addScores,
  halfOfAll,
  log2Scale,
  outOf,
  partOf,
  passingRow,
  type Rows,
  rowsFrom,
  source,
  turn,
} from "./attention-vector-tiles";
import { each } from "./matmul-parts";

export { fitsVectors } from "./attention-vector-tiles";

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

/** A workgroup owns 32 queries and what flows into their results; keys and values pass by, 32 at a time. */
export function backwardQuery(shape: AttentionSizes): KernelSource {
  const { context, headDim } = shape;
  const rows = 32;
  const tile = headDim * 8;
  /** Elements of the head that pass by at once. */
  const part = 32;
  const partTile = part * 8;
  /** Each half of the lanes brings what it computes with. */
  const ownPassing: Rows = { buffer: "qkv", at: (row) => `partAt(1u + half, ${row})` };
  /** Elements of the head that a lane sums, next to each other. */
  const [type, key] =
    headDim === 64
      ? ["vec4f", "qkv[at + lane / 8u]"]
      : ["vec2f", "select(qkv[at + lane / 16u].xy, qkv[at + lane / 16u].zw, lane / 8u % 2u == 1u)"];
  const keys = passingRow(partOf(1), rows, shape);
  return source(
    shape,
    rows,
    // Parts of keys and values, then dp, which becomes ds.
    { owned: 2 * tile, passed: 2 * partTile },
    ["qkv", "dout"],
    /* wgsl */ `
  let first = (${Math.ceil(context / rows) - 1}u - group.x) * ${rows}u;
  let last = min(first + ${rows}u, ${context}u);
  let half = lane / 64u;
  let q = lane / 2u % 4u + lane / 8u % 2u * 4u;
  let c = lane % 2u + lane / 16u % 4u * 2u;
  let ownRows = ${rowsFrom("first + q * 4u")};
  let sumRows = ${rowsFrom("first + lane % 8u * 4u")};
  let inside = statistics + min(ownRows, vec4u(${context - 1}u));
  let rowLse = vec4f(lse[inside.x], lse[inside.y], lse[inside.z], lse[inside.w]) * ${Math.LOG2E};
  let rowDelta = vec4f(delta[inside.x], delta[inside.y], delta[inside.z], delta[inside.w]);
  ${turn("owned", "0u", partOf(0), rows, "first", shape)}
  ${turn("owned", `${tile}u`, outOf, rows, "first", shape)}
${each(4, (i) => `  var sum${i} = ${type}();`)}
  for (var begin = 0u; begin < last; begin += ${rows}u) {
${each(4, (k) => `    var score${k} = vec4f();`)}
    for (var p = 0u; p < ${headDim / part}u; p++) {
      let part = p * ${part}u;
      workgroupBarrier();
      ${turn("passed", `half * ${partTile}u`, ownPassing, rows, "begin", shape, halfOfAll, { first: "part", elements: part })}
      workgroupBarrier();
      for (var d = 0u; d < ${part}u; d++) {
        let own = owned[half * ${tile}u + (part + d) * 8u + q];
        let other = passed[half * ${partTile}u + d * 8u + c];
${addScores("own", "other", AXES)}
      }
    }
    workgroupBarrier();
    if (half == 1u) {
${each(4, (k) => `      passed[(c * 4u + ${k}u) * 8u + q] = score${k};`)}
    }
    workgroupBarrier();
    if (half == 0u) {
${each(
  4,
  (k) => `      {
        let at = (c * 4u + ${k}u) * 8u + q;
        let seen = vec4u(begin + c * 4u + ${k}u) <= ownRows;
        let p = select(vec4f(), exp2(score${k} * ${log2Scale(headDim)} - rowLse), seen);
        passed[at] = p * (passed[at] - rowDelta) * ${1 / Math.sqrt(headDim)};
      }`,
)}
    }
    workgroupBarrier();
    ${keys.first}
    for (var i = 0u; i < ${rows}u; i++) {
      let slope = passed[i * 8u + lane % 8u];
      let at = ${keys.at("i")};
      let key = ${key};
${each(4, (i) => `      sum${i} = fma(${type}(slope.${AXES[i]}), key, sum${i});`)}
    }
  }
${each(
  4,
  (i) => `  if (sumRows.${AXES[i]} < ${context}u) {
    let to = partAt(0u, sumRows.${AXES[i]}) * 4u + lane / 8u * ${headDim / 16}u;
${each(headDim / 16, (e) => `    dqkv[to + ${e}u] = sum${i}[${e}];`)}
  }`,
)}`,
  );
}

/**
 * A workgroup owns 64 keys and values; queries pass by, 32 at a time, from the first one that sees a key. Parts of both lie side
 * by side; p and ds then take the place of the owned ones.
 */
export function backwardKeyValue(shape: AttentionSizes): KernelSource {
  const { context, headDim } = shape;
  const [owned, passing] = [64, 32];
  /** Elements of the head that pass by at once. */
  const part = 32;
  const [ownPart, passingPart] = [part * 16, part * 8];
  const partly = { first: "part", elements: part };
  /** Vectors of the head that a lane sums. */
  const parts = headDim / 32;
  // A lane has four keys, and four half a tile further down.
  const scores = (write: (lower: number, query: number) => string) => each(2, (h) => each(4, (j) => write(h, j)));
  const sums = (write: (lower: number, key: number, part: number) => string) =>
    each(2, (h) => each(4, (i) => each(parts, (e) => write(h, i, e))));
  const keysOrValues: Rows = { buffer: "qkv", at: (row) => `partAt(1u + half, ${row})` };
  const outs = passingRow(outOf, passing, shape);
  const queries = passingRow(partOf(0), passing, shape);
  return source(
    shape,
    owned,
    // Parts of keys, values, queries and dout; p and ds, which was dp.
    { tiles: Math.max(2 * ownPart + 2 * passingPart, 2 * passing * 16) },
    ["qkv", "dout", "dqkv"],
    /* wgsl */ `
  let first = group.x * ${owned}u;
  let half = lane / 64u;
  let k = lane / 2u % 4u + lane / 8u % 2u * 4u;
  let c = lane % 2u + lane / 16u % 4u * 2u;
${each(2, (h) => `  let ownRows${h} = ${rowsFrom(`first + ${(h * owned) / 2}u + k * 4u`)};`)}
  // The lower half sums dv, the upper dk.
${sums((h, i, e) => `  var sum${h}${i}${e} = vec4f();`)}
  for (var begin = first; begin < ${context}u; begin += ${passing}u) {
${scores((h, j) => `    var score${h}${j} = vec4f();`)}
    for (var p = 0u; p < ${headDim / part}u; p++) {
      let part = p * ${part}u;
      workgroupBarrier();
      ${turn("tiles", `half * ${ownPart}u`, keysOrValues, owned, "first", shape, halfOfAll, partly)}
      if (half == 0u) {
        ${turn("tiles", `${2 * ownPart}u`, partOf(0), passing, "begin", shape, halfOfAll, partly)}
      } else {
        ${turn("tiles", `${2 * ownPart + passingPart}u`, outOf, passing, "begin", shape, halfOfAll, partly)}
      }
      workgroupBarrier();
      for (var d = 0u; d < ${part}u; d++) {
        let own0 = tiles[half * ${ownPart}u + d * 16u + k];
        let own1 = tiles[half * ${ownPart}u + d * 16u + 8u + k];
        let other = tiles[${2 * ownPart}u + half * ${passingPart}u + d * 8u + c];
${scores((h, j) => `        score${h}${j} = fma(own${h}, vec4f(other.${AXES[j]}), score${h}${j});`)}
      }
    }
    workgroupBarrier();
    if (half == 1u) {
${scores((h, j) => `      tiles[${passing * 16}u + (c * 4u + ${j}u) * 16u + ${h * 8}u + k] = score${h}${j};`)}
    }
    workgroupBarrier();
    if (half == 0u) {
${scores(
  (h, j) => `      {
        let at = (c * 4u + ${j}u) * 16u + ${h * 8}u + k;
        let query = begin + c * 4u + ${j}u;
        let inside = statistics + min(query, ${context - 1}u);
        let seen = (vec4u(query) >= ownRows${h}) & vec4<bool>(query < ${context}u);
        let p = select(vec4f(), exp2(score${h}${j} * ${log2Scale(headDim)} - lse[inside] * ${Math.LOG2E}), seen);
        tiles[at] = p;
        tiles[${passing * 16}u + at] = p * (tiles[${passing * 16}u + at] - delta[inside]) * ${1 / Math.sqrt(headDim)};
      }`,
)}
    }
    workgroupBarrier();
    ${outs.first}
    ${queries.first}
    for (var i = 0u; i < ${passing}u; i++) {
${each(2, (h) => `      let weight${h} = tiles[half * ${passing * 16}u + i * 16u + ${h * 8}u + k];`)}
${each(parts, (e) => `      var passing${e} = vec4f();`)}
      if (half == 0u) {
        let at = ${outs.at("i")} + c * ${parts}u;
${each(parts, (e) => `        passing${e} = dout[at + ${e}u];`)}
      } else {
        let at = ${queries.at("i")} + c * ${parts}u;
${each(parts, (e) => `        passing${e} = qkv[at + ${e}u];`)}
      }
${sums((h, i, e) => `      sum${h}${i}${e} = fma(vec4f(weight${h}.${AXES[i]}), passing${e}, sum${h}${i}${e});`)}
    }
  }
${each(2, (h) =>
  each(
    4,
    (i) => `  if (ownRows${h}.${AXES[i]} < ${context}u) {
    let to = partAt(2u - half, ownRows${h}.${AXES[i]}) + c * ${parts}u;
${each(parts, (e) => `    dqkv[to + ${e}u] = sum${h}${i}${e};`)}
  }`,
  ),
)}`,
  );
}
