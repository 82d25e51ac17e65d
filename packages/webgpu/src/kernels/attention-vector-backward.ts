// Gradients of attention with vectors of four; attention-vector.ts says how.

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
    ["qkv", "out", "dout"],
    /* wgsl */ `
  let first = (${Math.ceil(context / rows) - 1}u - group.x) * ${rows}u;
  let last = min(first + ${rows}u, ${context}u);
  let half = lane / 64u;
  let q = lane / 2u % 4u + lane / 8u % 2u * 4u;
  let c = lane % 2u + lane / 16u % 4u * 2u;
  let ownRows = ${rowsFrom("first + q * 4u")};
  let sumRows = ${rowsFrom("first + lane % 8u * 4u")};
  if (lane < ${rows}u && first + lane < ${context}u) {
    let at = outAt(first + lane);
    var products = vec4f();
    for (var d = 0u; d < ${headDim / 4}u; d++) { products = fma(out[at + d], dout[at + d], products); }
    delta[statistics + first + lane] = dot(products, vec4f(1.0));
  }
  storageBarrier();
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
