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
// Together the tiles take at most 32 KiB.

import type { KernelSource } from "../kernel";
import type { AttentionSizes } from "./attention-shape";
import { each } from "./matmul-parts";

const LANES = 128;
const AXES = ["x", "y", "z", "w"] as const;

/** Widths of a head that these kernels are made for. */
export const fitsVectors = ({ headDim }: AttentionSizes): boolean => headDim === 32 || headDim === 64;

/** Scores are compared as powers of two. */
const log2Scale = (headDim: number) => Math.LOG2E / Math.sqrt(headDim);

interface Rows {
  buffer: string;
  /** WGSL for where a row starts, in vec4f. */
  at(row: string): string;
}

const partOf = (part: number): Rows => ({ buffer: "qkv", at: (row) => `partAt(${part}u, ${row})` });
const outOf: Rows = { buffer: "dout", at: (row) => `outAt(${row})` };

/** Turn `rows` rows from `first` on into `tile`, from `offset` on; past the end the last row repeats. */
function turn(
  tile: string,
  offset: number,
  from: Rows,
  rows: number,
  first: string,
  shape: AttentionSizes,
  mix = false,
) {
  const blocks = rows / 4;
  const column = (j: number) => (mix ? `(rowBlock ^ ((elements + ${j}u) % 8u))` : "rowBlock");
  return /* wgsl */ `
    for (var block = lane; block < ${(blocks * shape.headDim) / 4}u; block += ${LANES}u) {
      let rowBlock = block % ${blocks}u;
      let elements = block / ${blocks}u * 4u;
${each(4, (i) => `      let row${i} = ${from.buffer}[${from.at(`min(${first} + rowBlock * 4u + ${i}u, ${shape.context - 1}u)`)} + elements / 4u];`)}
${AXES.map((axis, j) => `      ${tile}[${offset}u + (elements + ${j}u) * ${blocks}u + ${column(j)}] = vec4f(row0.${axis}, row1.${axis}, row2.${axis}, row3.${axis});`).join("\n")}
    }`;
}

/** `score`0.. += left x right.x, left x right.y, ...: vectors over the rows of `left`, one for each of `columns` of `right`. */
const addScores = (left: string, right: string, columns: readonly string[]) =>
  columns.map((axis, k) => `      score${k} = fma(${left}, vec4f(${right}.${axis}), score${k});`).join("\n");

/** A vector that counts rows from `first` on. */
const rowsFrom = (first: string) => `(${first} + vec4u(0u, 1u, 2u, 3u))`;

function source(
  { batch, context, heads, headDim }: AttentionSizes,
  owned: number,
  arrays: Record<string, number>,
  vectors: string[],
  body: string,
): KernelSource {
  const declared = Object.entries(arrays).map(([name, length]) => `var<workgroup> ${name}: array<vec4f, ${length}>;`);
  return {
    form: "groups",
    groups: [Math.ceil(context / owned), batch * heads, 1],
    workgroup: LANES,
    vectors: Object.fromEntries(vectors.map((name) => [name, "vec4f"])),
    wgsl: /* wgsl */ `
${declared.join("\n")}
var<private> begins: u32;
var<private> headOf: u32;
fn partAt(part: u32, row: u32) -> u32 {
  return (((begins + row) * 3u + part) * ${heads}u + headOf) * ${headDim / 4}u;
}
fn outAt(row: u32) -> u32 { return ((begins + row) * ${heads}u + headOf) * ${headDim / 4}u; }
fn run(group: vec3u, index: u32) {
  let lane = index % ${LANES}u;
  begins = group.y / ${heads}u * ${context}u;
  headOf = group.y % ${heads}u;
  let statistics = group.y * ${context}u;
${body}
}`,
  };
}

/** A workgroup owns 64 queries; keys and values pass by, 32 at a time. */
export function forward(shape: AttentionSizes): KernelSource {
  const { context, headDim } = shape;
  const [owned, passing] = [64, 32];
  const width = headDim / 4;
  /** Vectors of the head that a lane sums. */
  const parts = headDim / 32;
  const sums = (write: (query: number, part: number) => string) => each(4, (q) => each(parts, (e) => write(q, e)));
  return source(
    shape,
    owned,
    { queries: headDim * 16, passed: headDim * 8, weights: passing * 16 },
    ["qkv", "out"],
    /* wgsl */ `
  // The last queries see the most keys: they start first.
  let first = (${Math.ceil(context / owned) - 1}u - group.x) * ${owned}u;
  let last = min(first + ${owned}u, ${context}u);
  let q = lane % 16u;
  let c = lane / 16u;
  let ownRows = ${rowsFrom("first + q * 4u")};
  ${turn("queries", 0, partOf(0), owned, "first", shape)}
${sums((q, e) => `  var sum${q}${e} = vec4f();`)}
  var largest = vec4f(-1e30);
  var total = vec4f();
  for (var begin = 0u; begin < last; begin += ${passing}u) {
    workgroupBarrier();
    ${turn("passed", 0, partOf(1), passing, "begin", shape)}
    workgroupBarrier();
${each(4, (k) => `    var score${k} = vec4f();`)}
    for (var d = 0u; d < ${headDim}u; d++) {
      let query = queries[d * 16u + q];
      let key = passed[d * 8u + c];
${addScores("query", "key", AXES)}
    }
${each(4, (k) => `    score${k} = select(vec4f(-1e30), score${k} * ${log2Scale(headDim)}, vec4u(begin + c * 4u + ${k}u) <= ownRows);`)}
    // The largest of a query's scores, over all lanes with keys of this round.
    weights[c * 16u + q] = max(max(score0, score1), max(score2, score3));
    workgroupBarrier();
    var bound = largest;
    for (var other = 0u; other < 8u; other++) { bound = max(bound, weights[other * 16u + q]); }
    workgroupBarrier();
    let shrink = exp2(largest - bound);
    largest = bound;
${each(4, (k) => `    let weight${k} = exp2(score${k} - bound);\n    weights[(c * 4u + ${k}u) * 16u + q] = weight${k};`)}
    total = total * shrink + ((weight0 + weight1) + (weight2 + weight3));
${sums((q, e) => `    sum${q}${e} *= shrink.${AXES[q]};`)}
    for (var i = lane; i < ${passing * width}u; i += ${LANES}u) {
      passed[i] = qkv[partAt(2u, min(begin + i / ${width}u, ${context - 1}u)) + i % ${width}u];
    }
    workgroupBarrier();
    for (var key = 0u; key < ${passing}u; key++) {
      let weight = weights[key * 16u + q];
${each(parts, (e) => `      let value${e} = passed[key * ${width}u + c * ${parts}u + ${e}u];`)}
${sums((q, e) => `      sum${q}${e} = fma(vec4f(weight.${AXES[q]}), value${e}, sum${q}${e});`)}
    }
  }
  workgroupBarrier();
  weights[c * 16u + q] = total;
  workgroupBarrier();
  total = vec4f();
  for (var other = 0u; other < 8u; other++) { total += weights[other * 16u + q]; }
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
  const parts = headDim / 16;
  return source(
    shape,
    rows,
    // ds takes the place of the values of its round.
    { owned: 2 * tile, passed: 2 * tile },
    ["qkv", "dout"],
    /* wgsl */ `
  let first = (${Math.ceil(context / rows) - 1}u - group.x) * ${rows}u;
  let last = min(first + ${rows}u, ${context}u);
  let half = lane / 64u;
  let q = lane % 8u;
  let c = lane / 8u % 8u;
  let ownRows = ${rowsFrom("first + q * 4u")};
  let inside = statistics + min(ownRows, vec4u(${context - 1}u));
  let rowLse = vec4f(lse[inside.x], lse[inside.y], lse[inside.z], lse[inside.w]) * ${Math.LOG2E};
  let rowDelta = vec4f(delta[inside.x], delta[inside.y], delta[inside.z], delta[inside.w]);
  ${turn("owned", 0, partOf(0), rows, "first", shape)}
  ${turn("owned", tile, outOf, rows, "first", shape)}
  // Of the head this lane sums elements lane / 8, lane / 8 + 16, ...
${each(parts, (e) => `  var sum${e} = vec4f();`)}
  for (var begin = 0u; begin < last; begin += ${rows}u) {
    workgroupBarrier();
    ${turn("passed", 0, partOf(1), rows, "begin", shape, true)}
    ${turn("passed", tile, partOf(2), rows, "begin", shape, true)}
    workgroupBarrier();
${each(4, (k) => `    var score${k} = vec4f();`)}
    for (var d = 0u; d < ${headDim}u; d++) {
      let own = owned[half * ${tile}u + d * 8u + q];
      let other = passed[half * ${tile}u + d * 8u + (c ^ (d % 8u))];
${addScores("own", "other", AXES)}
    }
    workgroupBarrier();
    if (half == 1u) {
${each(4, (k) => `      passed[${tile}u + (c * 4u + ${k}u) * 8u + q] = score${k};`)}
    }
    workgroupBarrier();
    if (half == 0u) {
${each(
  4,
  (k) => `      {
        let at = ${tile}u + (c * 4u + ${k}u) * 8u + q;
        let seen = vec4u(begin + c * 4u + ${k}u) <= ownRows;
        let p = select(vec4f(), exp2(score${k} * ${log2Scale(headDim)} - rowLse), seen);
        passed[at] = p * (passed[at] - rowDelta) * ${1 / Math.sqrt(headDim)};
      }`,
)}
    }
    workgroupBarrier();
    for (var keys = 0u; keys < 8u; keys++) {
${each(4, (k) => `      let slope${k} = passed[${tile}u + (keys * 4u + ${k}u) * 8u + q];`)}
${each(
  parts,
  (e) => `      {
        let d = lane / 8u + ${16 * e}u;
        let key = passed[d * 8u + (keys ^ (d % 8u))];
        sum${e} += (slope0 * key.x + slope1 * key.y) + (slope2 * key.z + slope3 * key.w);
      }`,
)}
    }
  }
${each(
  4,
  (i) => `  if (ownRows.${AXES[i]} < ${context}u) {
    let to = partAt(0u, ownRows.${AXES[i]}) * 4u + lane / 8u;
${each(parts, (e) => `    dqkv[to + ${16 * e}u] = sum${e}.${AXES[i]};`)}
  }`,
)}`,
  );
}

/** A workgroup owns 32 keys and values; queries pass by, 16 at a time, from the first one that sees a key. */
export function backwardKeyValue(shape: AttentionSizes): KernelSource {
  const { context, headDim } = shape;
  const [rows, passing] = [32, 16];
  const ownTile = headDim * 8;
  const passTile = headDim * 4;
  const scores = passing * 8;
  const parts = headDim / 8;
  return source(
    shape,
    rows,
    // p, then dp, which becomes ds.
    { owned: 2 * ownTile, passed: 2 * passTile, weights: 2 * scores },
    ["qkv", "dout"],
    /* wgsl */ `
  let first = group.x * ${rows}u;
  let half = lane / 64u;
  let k = lane % 8u;
  let c = lane / 8u % 8u;
  let ownRows = ${rowsFrom("first + k * 4u")};
  ${turn("owned", 0, partOf(1), rows, "first", shape)}
  ${turn("owned", ownTile, partOf(2), rows, "first", shape)}
  // The lower half sums dv, the upper dk; of the head elements c, c + 8, ...
${each(parts, (e) => `  var sum${e} = vec4f();`)}
  for (var begin = first / ${passing}u * ${passing}u; begin < ${context}u; begin += ${passing}u) {
    let query = begin + c * 2u;
    let query0 = statistics + min(query, ${context - 1}u);
    let query1 = statistics + min(query + 1u, ${context - 1}u);
    let lse0 = lse[query0] * ${Math.LOG2E};
    let lse1 = lse[query1] * ${Math.LOG2E};
    let delta0 = delta[query0];
    let delta1 = delta[query1];
    workgroupBarrier();
    ${turn("passed", 0, partOf(0), passing, "begin", shape)}
    ${turn("passed", passTile, outOf, passing, "begin", shape)}
    workgroupBarrier();
    var score0 = vec4f();
    var score1 = vec4f();
    for (var d = 0u; d < ${headDim}u; d++) {
      let own = owned[half * ${ownTile}u + d * 8u + k];
      let others = passed[half * ${passTile}u + d * 4u + c / 2u];
      let other = select(others.xy, others.zw, c % 2u == 1u);
${addScores("own", "other", ["x", "y"])}
    }
    if (half == 1u) {
      weights[${scores}u + (c * 2u) * 8u + k] = score0;
      weights[${scores}u + (c * 2u + 1u) * 8u + k] = score1;
    }
    workgroupBarrier();
    if (half == 0u) {
${each(
  2,
  (j) => `      {
        let at = (c * 2u + ${j}u) * 8u + k;
        let seen = vec4u(query + ${j}u) >= ownRows;
        var p = select(vec4f(), exp2(score${j} * ${log2Scale(headDim)} - lse${j}), seen);
        if (query + ${j}u >= ${context}u) { p = vec4f(); }
        weights[at] = p;
        weights[${scores}u + at] = p * (weights[${scores}u + at] - delta${j}) * ${1 / Math.sqrt(headDim)};
      }`,
)}
    }
    workgroupBarrier();
    for (var queries = 0u; queries < ${passing / 4}u; queries++) {
${each(4, (j) => `      let weight${j} = weights[half * ${scores}u + (queries * 4u + ${j}u) * 8u + k];`)}
${each(
  parts,
  (e) => `      {
        let other = passed[(1u - half) * ${passTile}u + (c + ${8 * e}u) * 4u + queries];
        sum${e} += (weight0 * other.x + weight1 * other.y) + (weight2 * other.z + weight3 * other.w);
      }`,
)}
    }
  }
${each(
  4,
  (i) => `  if (ownRows.${AXES[i]} < ${context}u) {
    let to = partAt(2u - half, ownRows.${AXES[i]}) * 4u + c;
${each(parts, (e) => `    dqkv[to + ${8 * e}u] = sum${e}.${AXES[i]};`)}
  }`,
)}`,
  );
}
