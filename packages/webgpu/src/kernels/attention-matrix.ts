// Attention on matrix units (tensor cores): q, k, v and dout are rounded to f16 on their way into workgroup memory, so are
// the probabilities and their gradients; sums, maxima and the saved log-sum-exp stay f32. Four subgroups own rows of one
// head, 32 each, whose fragments they hold in registers, and 16 rows of the other side pass by in a round:
//
//   own rows [32, headDim] . passing rows [16, headDim]  ──f32──>  strip [32, 16]  ──exp, f16──>  strip  ──>  sums [32, headDim]
//
// A fragment's elements cannot be reached, so scores go through the subgroup's strip of workgroup memory, where every lane
// takes a row, or half of one. Forward, a subgroup does both products. Backward, a pair of subgroups shares its 32 rows: the
// first computes s and the second dp, then each of their lanes turns half a row of both into p and ds, in place, and the
// first adds up dv and the second dk (or each its half of dq along the head).
//
// The running maximum of FlashAttention would rescale sums in every round, through memory. Here the maximum that the
// exponents refer to may lag behind the true one by a factor of 2^14, which f16 still holds; only past that does the
// workgroup rescale (the lazy rescaling of FlashAttention-4).

import type { KernelSource } from "../kernel";
import {
  addProducts,
  eachRow,
  matrixSource,
  measures,
  outOf,
  ownFragments,
  PASSING,
  partOf,
  passingFragment,
  reloadBlock,
  results,
  SHARE,
  scoreBlock,
  stagePassing,
  storeBlock,
} from "./attention-matrix-tiles";
import type { AttentionSizes } from "./attention-shape";
import { each } from "./matmul-parts";

export { fitsMatrixUnits } from "./attention-matrix-tiles";

/** log2 of the largest weight before sums are rescaled. */
const HEADROOM = 14;

/** WGSL for the halfs of 16 elements of a row that starts at `at`. */
const rowUnits =
  (buffer: string, at: string) =>
  (block: number): [string, string] => {
    const from = (v: number) => `${buffer}[${at} + ${block * 4 + v}u]`;
    return [`halfs(${from(0)}, ${from(1)})`, `halfs(${from(2)}, ${from(3)})`];
  };

const range = (count: number) => Array.from({ length: count }, (_, i) => i);

/** A workgroup owns 128 queries; keys and values pass by. */
export function forward(shape: AttentionSizes): KernelSource {
  const { context, headDim } = shape;
  const { blocks } = measures(headDim);
  const owned = 4 * SHARE;
  const staged = stagePassing(
    [
      { buffer: "qkv", at: partOf(1) },
      { buffer: "qkv", at: partOf(2) },
    ],
    shape,
  );
  const values = range(blocks).map((j) => passingFragment(["values0", "values1"], j, "row", headDim));
  const source = matrixSource(
    shape,
    owned,
    ["qkv", "out"],
    "var<workgroup> grown: atomic<u32>;",
    /* wgsl */ `
  let first = (${Math.ceil(context / owned) - 1}u - group.x) * ${owned}u;
  let shareRow = first + subgroup % 4u * ${SHARE}u;
  let ownRow = shareRow + subgroupLane % 32u;
  let rounds = (min(first + ${owned}u, ${context}u) + ${PASSING - 1}u) / ${PASSING}u;
  let keys0 = &panels[0];
  let keys1 = &panels[1];
  let values0 = &panels[2];
  let values1 = &panels[3];
  let fromQuery = partAt(0u, min(ownRow, ${context - 1}u));
  ${staged.declare}
${ownFragments("q", headDim, rowUnits("qkv", "fromQuery"))}
${results("sum", blocks)}
  var reference = 0.0;
  var total = 0.0;
${staged.load("0u")}
  for (var round = 0u; round < ${Math.ceil(context / PASSING)}u; round++) {
    if (round >= rounds) { break; }
    let begin = round * ${PASSING}u;
    let working = begin < shareRow + ${SHARE}u;
    workgroupBarrier();
${staged.store}
    if (round + 1u < rounds) {
${staged.load(`begin + ${PASSING}u`)}
    }
    workgroupBarrier();
    if (working) {
${scoreBlock("q", ["keys0", "keys1"], headDim)}
    }
    workgroupBarrier();
    var shrink = 1.0;
    var low = vec4u();
    var high = vec4u();
    if (working) {
${each(4, (v) => `      var x${v} = bitcast<vec4f>((*strip)[stripRow + ${v}u]);`)}
      if (begin + ${PASSING - 1}u > shareRow) {
${each(4, (v) => `        x${v} = select(vec4f(-1e30), x${v}, begin + vec4u(${range(4).map((e) => `${4 * v + e}u`)}) <= vec4u(ownRow));`)}
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
${each(4, (v) => `      let p${v} = exp2(x${v} * log2Scale - reference);`)}
      let totals = (p0 + p1) + (p2 + p3);
      total += (totals.x + totals.y) + (totals.z + totals.w);
      low = halfs(p0, p1);
      high = halfs(p2, p3);
      (*strip)[stripRow] = low;
      (*strip)[stripRow + 1u] = high;
    }
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
      (*strip)[stripRow] = low;
      (*strip)[stripRow + 1u] = high;
      workgroupBarrier();
    }
    if (working) {
${addProducts("sum", "strip", 0, values)}
    }
  }
  if (ownRow < ${context}u) {
    lse[group.y * ${context}u + ownRow] = (reference + log2(total)) * ${Math.LN2};
  }
  let inverse = 1.0 / total;
  let to = outAt(ownRow);
${eachRow("sum", blocks, (j, vectors) => vectors.map((x, v) => `    write_out(to + ${4 * j + v}u, ${x} * inverse);`).join("\n"))}`,
  );
  return { ...source, results: ["out"] };
}

/**
 * The backward kernels' place in a workgroup: a pair of subgroups shares rows, and each lane of both has half of the 16
 * scores of a row, units 0 and 1 of the strips or 2 and 3. It leaves its 8 halfs in unit 1 or 2: what it has read itself.
 */
const pairs = /* wgsl */ `
  let role = subgroup % 2u;
  let pair = subgroup / 2u % 2u;
  let firstStrip = &strips[pair * 2u];
  let secondStrip = &strips[pair * 2u + 1u];
  let halfRow = stripRow + role * 2u;
  let shareRow = first + pair * ${SHARE}u;
  let ownRow = shareRow + subgroupLane % 32u;`;

/** This lane's scores s and gradients dp of the probabilities. */
const readHalfRows = each(
  2,
  (v) => `      let s${v} = bitcast<vec4f>((*firstStrip)[halfRow + ${v}u]);
      let dp${v} = bitcast<vec4f>((*secondStrip)[halfRow + ${v}u]);`,
);

/** Where halfs of both lanes of a row begin. */
const MIDDLE = 1;

/** A workgroup owns 64 queries; keys and values pass by. */
export function backwardQuery(shape: AttentionSizes): KernelSource {
  const { context, headDim } = shape;
  const { blocks } = measures(headDim);
  const owned = 2 * SHARE;
  const staged = stagePassing(
    [
      { buffer: "qkv", at: partOf(1) },
      { buffer: "qkv", at: partOf(2) },
    ],
    shape,
  );
  // Each of a pair sums its half of the head, whose keys are a panel of their own.
  const keys = range(blocks / 2).map((j) => passingFragment(["halfKeys", "halfKeys"], j, "row", headDim));
  const own = (block: number): [string, string] => [
    `ownUnit(role, fromQuery + ${4 * block}u, fromSlope + ${4 * block}u)`,
    `ownUnit(role, fromQuery + ${4 * block + 2}u, fromSlope + ${4 * block + 2}u)`,
  ];
  return matrixSource(
    shape,
    owned,
    ["qkv", "dout", "dqkv"],
    /* wgsl */ `
fn ownUnit(role: u32, query: u32, slope: u32) -> vec4u {
  if (role == 0u) { return halfs(qkv[query], qkv[query + 1u]); }
  return halfs(dout[slope], dout[slope + 1u]);
}`,
    /* wgsl */ `
  let first = (${Math.ceil(context / owned) - 1}u - group.x) * ${owned}u;
${pairs}
  let rounds = (min(first + ${owned}u, ${context}u) + ${PASSING - 1}u) / ${PASSING}u;
  let passing0 = &panels[role * 2u];
  let passing1 = &panels[role * 2u + 1u];
  let halfKeys = &panels[role];
  let inside = min(ownRow, ${context - 1}u);
  let fromQuery = partAt(0u, inside);
  let fromSlope = outAt(inside);
  let rowLse = lse[group.y * ${context}u + inside] * ${Math.LOG2E};
  let rowDelta = delta[group.y * ${context}u + inside];
  ${staged.declare}
${ownFragments("own", headDim, own)}
${results("sum", blocks / 2)}
${staged.load("0u")}
  for (var round = 0u; round < ${Math.ceil(context / PASSING)}u; round++) {
    if (round >= rounds) { break; }
    let begin = round * ${PASSING}u;
    let working = begin < shareRow + ${SHARE}u;
    workgroupBarrier();
${staged.store}
    if (round + 1u < rounds) {
${staged.load(`begin + ${PASSING}u`)}
    }
    workgroupBarrier();
    if (working) {
${scoreBlock("own", ["passing0", "passing1"], headDim)}
    }
    workgroupBarrier();
    if (working) {
${readHalfRows}
${each(2, (v) => `      var p${v} = exp2(s${v} * log2Scale - rowLse);`)}
      if (begin + ${PASSING - 1}u > shareRow) {
${each(2, (v) => `        p${v} = select(vec4f(), p${v}, begin + role * 8u + vec4u(${range(4).map((e) => `${4 * v + e}u`)}) <= vec4u(ownRow));`)}
      }
${each(2, (v) => `      let ds${v} = p${v} * (dp${v} - rowDelta) * scale;`)}
      (*secondStrip)[stripRow + ${MIDDLE}u + role] = halfs(ds0, ds1);
    }
    workgroupBarrier();
    if (working) {
${addProducts("sum", "secondStrip", MIDDLE, keys)}
    }
  }
  let to = partAt(0u, ownRow) + role * ${headDim / 8}u;
${eachRow("sum", blocks / 2, (j, vectors) => vectors.map((x, v) => `    dqkv[to + ${4 * j + v}u] = ${x};`).join("\n"))}`,
  );
}

/** A workgroup owns 64 keys and values; queries pass by, from the first one that sees a key. */
export function backwardKeyValue(shape: AttentionSizes): KernelSource {
  const { context, headDim } = shape;
  const { blocks } = measures(headDim);
  const owned = 2 * SHARE;
  const staged = stagePassing(
    [
      { buffer: "qkv", at: partOf(0) },
      { buffer: "dout", at: outOf },
    ],
    shape,
  );
  // The first of a pair computes s from keys and queries and sums dv; the second dp from values and dout, and sums dk.
  const others = range(blocks).map((j) => passingFragment(["others0", "others1"], j, "row", headDim));
  const four = (name: string, v: number) => `vec4f(${range(4).map((e) => `${name}[role * 8u + ${4 * v + e}u]`)})`;
  const loadStatistics = (begin: string) => /* wgsl */ `
      if (lane < ${PASSING}u) {
        let query = ${begin} + lane;
        let row = group.y * ${context}u + min(query, ${context - 1}u);
        // Past the end no probability is left.
        nextLse = select(1e30, lse[row] * ${Math.LOG2E}, query < ${context}u);
        nextDelta = delta[row];
      }`;
  return matrixSource(
    shape,
    owned,
    ["qkv", "dout", "dqkv"],
    `var<workgroup> lseOf: array<f32, ${PASSING}>;
var<workgroup> deltaOf: array<f32, ${PASSING}>;`,
    /* wgsl */ `
  let first = group.x * ${owned}u;
${pairs}
  let passing0 = &panels[role * 2u];
  let passing1 = &panels[role * 2u + 1u];
  let others0 = &panels[2u - role * 2u];
  let others1 = &panels[3u - role * 2u];
  let fromOwn = partAt(1u + role, min(ownRow, ${context - 1}u));
  var nextLse = 0.0;
  var nextDelta = 0.0;
  ${staged.declare}
${ownFragments("own", headDim, rowUnits("qkv", "fromOwn"))}
${results("sum", blocks)}
${staged.load("first")}
${loadStatistics("first")}
  for (var round = 0u; round < ${Math.ceil(context / PASSING)}u; round++) {
    let begin = first + round * ${PASSING}u;
    if (begin >= ${context}u) { break; }
    let working = begin + ${PASSING}u > shareRow;
    workgroupBarrier();
${staged.store}
    if (lane < ${PASSING}u) {
      lseOf[lane] = nextLse;
      deltaOf[lane] = nextDelta;
    }
    if (begin + ${PASSING}u < ${context}u) {
${staged.load(`begin + ${PASSING}u`)}
${loadStatistics(`begin + ${PASSING}u`)}
    }
    workgroupBarrier();
    if (working) {
${scoreBlock("own", ["passing0", "passing1"], headDim)}
    }
    workgroupBarrier();
    if (working) {
${readHalfRows}
${each(
  2,
  (v) => `      var p${v} = exp2(s${v} * log2Scale - ${four("lseOf", v)});
      if (begin < shareRow + ${SHARE}u) {
        p${v} = select(vec4f(), p${v}, vec4u(ownRow) <= begin + role * 8u + vec4u(${range(4).map((e) => `${4 * v + e}u`)}));
      }
      let ds${v} = p${v} * (dp${v} - ${four("deltaOf", v)}) * scale;`,
)}
      (*firstStrip)[stripRow + ${MIDDLE}u + role] = halfs(p0, p1);
      (*secondStrip)[stripRow + ${MIDDLE}u + role] = halfs(ds0, ds1);
    }
    workgroupBarrier();
    if (working) {
${addProducts("sum", "strip", MIDDLE, others)}
    }
  }
  let to = partAt(2u - role, ownRow);
${eachRow("sum", blocks, (j, vectors) => vectors.map((x, v) => `    dqkv[to + ${4 * j + v}u] = ${x};`).join("\n"))}`,
  );
}
