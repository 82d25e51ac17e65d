// The backward kernels of attention-matrix.ts, where the picture is. A pair of subgroups shares 32 rows: the first computes s and
// the second dp, then each of their lanes turns half a row of both into p and ds, and the first adds up dv and the second dk (or
// each its half of dq along the head).

import type { KernelSource } from "../kernel";
import {
  addProducts,
  blocksOf,
  eachRow,
  fourFrom,
  matrixSource,
  OPERAND,
  outOf,
  ownFragments,
  PASSING,
  type Passing,
  panelsOf,
  partOf,
  passingFragment,
  range,
  results,
  SHARE,
  SUBGROUPS,
  scoreBlock,
  stagePassing,
  storeBlock,
} from "./attention-matrix-tiles";
import type { AttentionSizes } from "./attention-shape";
import { each } from "./matmul-parts";

export { paddedHead } from "./attention-matrix-tiles";

/**
 * The backward kernels' place in a workgroup: a pair of subgroups shares rows, and each lane of both has half of the 16
 * scores of a row.
 */
const pairs = /* wgsl */ `
  let role = subgroup % 2u;
  let pair = subgroup / 2u % ${SUBGROUPS / 2}u;
  let firstStrip = &strips[pair * 2u];
  let secondStrip = &strips[pair * 2u + 1u];
  let halfRow = stripRow + role * 2u;
  let shareRow = first + pair * ${SHARE}u;
  let ownRow = shareRow + subgroupLane % 32u;`;

/** This lane's scores s and gradients dp of the probabilities. */
const readHalfRows = each(
  2,
  (v) => `    let s${v} = bitcast<vec4f>((*firstStrip)[halfRow + ${v}u]);
    let dp${v} = bitcast<vec4f>((*secondStrip)[halfRow + ${v}u]);`,
);

/**
 * A workgroup owns 64 queries; keys and values pass by. With `rotation`, WGSL of rope.ts, gradients are turned back as they are
 * stored: each of a pair has half of the head, and so the partners of the other's elements.
 */
export function backwardQuery(shape: AttentionSizes, rotation?: string): KernelSource {
  const { context, headDim } = shape;
  const blocks = blocksOf(headDim);
  const owned = (SUBGROUPS / 2) * SHARE;
  const operands: [Passing, Passing] = [
    { buffer: "qkv", at: partOf(1), slots: 2 },
    { buffer: "qkv", at: partOf(2), slots: 1 },
  ];
  // Each of a pair sums its half of the head, whose keys are a panel of their own.
  const panels = panelsOf(operands, 2, headDim);
  const staged = stagePassing(operands, panels, shape);
  const passing = range(blocks).map((k) =>
    passingFragment(`passing${Math.floor(k / (blocks / 2))}`, k % (blocks / 2), "col", panels),
  );
  const keys = range(blocks / 2).map((j) => passingFragment("halfKeys", j, "row", panels));
  const write = (own: string, number: number) =>
    rotation
      ? `{
      let turn = ${rotationOf(number)};
      let other = bitcast<vec4f>((*partner)[stripRow + ${number % 4}u]) * turn.sine;
      write_dqkv(to + ${number}u, ${own} * turn.cosine + select(-other, other, role == 0u));
    }`
      : `write_dqkv(to + ${number}u, ${own});`;
  return matrixSource(
    shape,
    { ownedRows: owned, panels },
    { halves: ["qkv", "out", "dout"], written: "dqkv" },
    /* wgsl */ `${turning(rotation)}
var<workgroup> deltaParts: array<f32, ${32 * SUBGROUPS}>;
fn dotHalfs(a: vec4u, b: vec4u) -> f32 {
  return dot(vec4f(unpack2x16float(a.x), unpack2x16float(a.y)), vec4f(unpack2x16float(b.x), unpack2x16float(b.y)))
    + dot(vec4f(unpack2x16float(a.z), unpack2x16float(a.w)), vec4f(unpack2x16float(b.z), unpack2x16float(b.w)));
}
fn ownUnit(role: u32, query: u32, slope: u32, column: u32) -> vec4u {
  if (role == 0u) { return unitOf_qkv(query, column); }
  return unitOf_dout(slope, column);
}`,
    /* wgsl */ `
  let first = (${Math.ceil(context / owned) - 1}u - group.x) * ${owned}u;
${pairs}
  let rounds = (min(first + ${owned}u, ${context}u) + ${PASSING - 1}u) / ${PASSING}u;
  let inside = min(ownRow, ${context - 1}u);
  let fromQuery = partAt(0u, inside);
  let fromSlope = outAt(inside);
  let rowLse = lse[group.y * ${context}u + inside] * ${Math.LOG2E};
  ${staged.declare}
${staged.load(0, "0u")}
${staged.load(1, "0u")}
  // Each of a pair sums half of a row's delta.
  var part = 0.0;
  for (var unit = 0u; unit < ${blocks}u; unit++) {
    let column = role * ${blocks}u + unit;
    part += dotHalfs(unitOf_out(fromSlope, column), unitOf_dout(fromSlope, column));
  }
  let place = subgroup % ${SUBGROUPS}u * 32u + subgroupLane % 32u;
  deltaParts[place] = part;
${ownFragments("own", headDim, (column) => `ownUnit(role, fromQuery, fromSlope, ${column}u)`)}
${results("sum", blocks / 2)}
${staged.store(0)}
${staged.store(1)}
${staged.load(0, `${PASSING}u`)}
${staged.load(1, `${PASSING}u`)}
  workgroupBarrier();
  let rowDelta = part + deltaParts[place ^ 32u];
  if (role == 0u && ownRow < ${context}u) { delta[group.y * ${context}u + ownRow] = rowDelta; }
  for (var round = 0u; round < ${Math.ceil(context / PASSING)}u; round++) {
    if (round >= rounds) { break; }
    let begin = round * ${PASSING}u;
    {
      // Keys have panels 0 to 3, values 4 and 5.
      let firstPanel = (role * 4u + (1u - role) * (round % 2u * 2u)) % 5u;
      let passing0 = &panels[firstPanel];
      let passing1 = &panels[firstPanel + 1u];
${scoreBlock("own", passing)}
    }
    if (round > 0u) {
      let halfKeys = &panels[(round + 1u) % 2u * 2u + role];
${addProducts("sum", keys, "secondStrip")}
    }
    workgroupBarrier();
${staged.store(0, "round + 1u")}
${staged.store(1)}
    if (round + 1u < rounds) {
${staged.load(0, `begin + ${2 * PASSING}u`)}
${staged.load(1, `begin + ${2 * PASSING}u`)}
    }
${readHalfRows}
${each(2, (v) => `    var p${v} = exp2(s${v} * log2Scale - rowLse);`)}
    if (begin + ${PASSING - 1}u > shareRow) {
${each(2, (v) => `      p${v} = select(vec4f(), p${v}, begin + role * 8u + ${fourFrom(4 * v)} <= vec4u(ownRow));`)}
    }
${each(2, (v) => `    let ds${v} = p${v} * (dp${v} - rowDelta) * scale;`)}
    (*secondStrip)[stripRow + ${OPERAND}u + role] = halfs(ds0, ds1);
    workgroupBarrier();
  }
  {
    let halfKeys = &panels[(rounds + 1u) % 2u * 2u + role];
${addProducts("sum", keys, "secondStrip")}
  }
  let firstVector = role * ${2 * blocks}u;
  let to = partAt(0u, ownRow) + firstVector;
  let partner = &strips[pair * 2u + 1u - role];
${eachRow("sum", blocks / 2, headDim, write, { first: "firstVector", most: 2 * blocks })}`,
  );
}

/**
 * A workgroup owns 64 keys and values; queries pass by, from the first one that sees a key. With `rotation` gradients of keys are
 * turned back as they are stored.
 */
export function backwardKeyValue(shape: AttentionSizes, rotation?: string): KernelSource {
  const { context, headDim } = shape;
  const blocks = blocksOf(headDim);
  const owned = (SUBGROUPS / 2) * SHARE;
  const operands: [Passing, Passing] = [
    { buffer: "qkv", at: partOf(0), slots: 2 },
    { buffer: "dout", at: outOf, slots: 2 },
  ];
  const panels = panelsOf(operands, 1, headDim);
  const staged = stagePassing(operands, panels, shape);
  const passing = range(blocks).map((k) => passingFragment("passing", k, "col", panels));
  // The first of a pair computes s from keys and queries and sums dv; the second dp from values and dout, and sums dk.
  const others = range(blocks).map((j) => passingFragment("others", j, "row", panels));
  const statistic = (name: string, v: number) => `${name}[round % 2u * 4u + role * 2u + ${v}u]`;
  const loadStatistics = (begin: string) => /* wgsl */ `
      if (lane < ${PASSING}u) {
        let query = ${begin} + lane;
        let row = group.y * ${context}u + min(query, ${context - 1}u);
        // Past the end no probability is left.
        nextLse = select(1e30, lse[row] * ${Math.LOG2E}, query < ${context}u);
        nextDelta = delta[row];
      }`;
  const storeStatistics = (slot: string) => /* wgsl */ `
    if (lane < ${PASSING}u) {
      lseOf[(${slot}) % 2u * 4u + lane / 4u % 4u][lane % 4u] = nextLse;
      deltaOf[(${slot}) % 2u * 4u + lane / 4u % 4u][lane % 4u] = nextDelta;
    }`;
  return matrixSource(
    shape,
    { ownedRows: owned, panels },
    { halves: ["qkv", "dout"], written: "dqkv" },
    `${turning(rotation)}
var<workgroup> lseOf: array<vec4f, ${PASSING / 2}>;
var<workgroup> deltaOf: array<vec4f, ${PASSING / 2}>;`,
    /* wgsl */ `
  let first = group.x * ${owned}u;
${pairs}
  let fromOwn = partAt(1u + role, min(ownRow, ${context - 1}u));
  let rounds = (${context + PASSING - 1}u - first) / ${PASSING}u;
  var nextLse = 0.0;
  var nextDelta = 0.0;
  ${staged.declare}
${staged.load(0, "first")}
${staged.load(1, "first")}
${loadStatistics("first")}
${ownFragments("own", headDim, (column) => `unitOf_qkv(fromOwn, ${column}u)`)}
${results("sum", blocks)}
${staged.store(0)}
${staged.store(1)}
${storeStatistics("0u")}
${staged.load(0, `first + ${PASSING}u`)}
${staged.load(1, `first + ${PASSING}u`)}
${loadStatistics(`first + ${PASSING}u`)}
  workgroupBarrier();
  for (var round = 0u; round < ${Math.ceil(context / PASSING)}u; round++) {
    if (round >= rounds) { break; }
    let begin = first + round * ${PASSING}u;
    {
      // Queries have panels 0 and 1, dout 2 and 3.
      let passing = &panels[role * 2u + round % 2u];
${scoreBlock("own", passing)}
    }
    if (round > 0u) {
      let others = &panels[(1u - role) * 2u + (round + 1u) % 2u];
${addProducts("sum", others)}
    }
    workgroupBarrier();
${staged.store(0, "round + 1u")}
${staged.store(1, "round + 1u")}
${storeStatistics("round + 1u")}
    if (round + 1u < rounds) {
${staged.load(0, `begin + ${2 * PASSING}u`)}
${staged.load(1, `begin + ${2 * PASSING}u`)}
${loadStatistics(`begin + ${2 * PASSING}u`)}
    }
${readHalfRows}
${each(
  2,
  (v) => `    var p${v} = exp2(s${v} * log2Scale - ${statistic("lseOf", v)});
    if (begin < shareRow + ${SHARE}u) {
      p${v} = select(vec4f(), p${v}, vec4u(ownRow) <= begin + role * 8u + ${fourFrom(4 * v)});
    }
    let ds${v} = p${v} * (dp${v} - ${statistic("deltaOf", v)}) * scale;`,
)}
    (*firstStrip)[stripRow + ${OPERAND}u + role] = halfs(p0, p1);
    (*secondStrip)[stripRow + ${OPERAND}u + role] = halfs(ds0, ds1);
    workgroupBarrier();
  }
  {
    let others = &panels[(1u - role) * 2u + (rounds + 1u) % 2u];
${addProducts("sum", others)}
  }
  let to = partAt(2u - role, ownRow);
${rotation ? turnedRows(blocks) : eachRow("sum", blocks, headDim, (x, number) => `write_dqkv(to + ${number}u, ${x});`)}`,
  );
}

/** Declarations for turning gradients back. */
const turning = (rotation = ""): string => rotation && `alias Wide = vec4f;${rotation}`;

/** The rotation of vector `number` of the first half of this lane's row. */
const rotationOf = (number: number) => `rotation(ownRow, ${4 * number}.0 + vec4f(0.0, 1.0, 2.0, 3.0))`;

/** The rows of dk, turned back, and of dv as they are: a block and the one half a head further on, whose elements are partners. */
const turnedRows = (blocks: number) =>
  each(
    blocks / 2,
    (j) => `  workgroupBarrier();
${storeBlock("sum", `_${j}`)}
  workgroupBarrier();
${each(4, (v) => `  let low${j}_${v} = bitcast<vec4f>((*strip)[stripRow + ${v}u]);`)}
  workgroupBarrier();
${storeBlock("sum", `_${j + blocks / 2}`)}
  workgroupBarrier();
  if (ownRow < sizes.context) {
${each(
  4,
  (v) => `    {
      let high = bitcast<vec4f>((*strip)[stripRow + ${v}u]);
      var turn = Rotation(vec4f(1.0), vec4f());
      if (role == 1u) { turn = ${rotationOf(4 * j + v)}; }
      write_dqkv(to + ${4 * j + v}u, low${j}_${v} * turn.cosine + high * turn.sine);
      write_dqkv(to + ${4 * j + v + 2 * blocks}u, high * turn.cosine - low${j}_${v} * turn.sine);
    }`,
)}
  }`,
  );
