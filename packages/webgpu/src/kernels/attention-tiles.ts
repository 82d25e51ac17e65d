// The pieces that the kernels of attention-tiled.ts are put together from; the picture of the tiles is there.

import type { KernelSource } from "../kernel";
import type { AttentionSizes } from "./attention-shape";

const COLUMNS = 16;
const ROWS = 8;
const LANES = COLUMNS * ROWS;

/** Everything about one kernel's tiles that the text needs. */
export interface Tiles {
  headDim: number;
  /** Rows of the tile that the workgroup owns, and of the tiles that pass by. */
  owned: number;
  passing: number;
  /** Per invocation: rows, columns of the scores, elements of a result row. */
  rows: number;
  columns: number;
  elements: number;
  /** Row lengths in shared memory. */
  stride: number;
  scoreStride: number;
}

function tiles(headDim: number, owned: number, passing: number): Tiles {
  const elements = Math.ceil(headDim / COLUMNS);
  return {
    headDim,
    owned,
    passing,
    rows: owned / ROWS,
    columns: passing / COLUMNS,
    elements,
    stride: elements * COLUMNS + 1,
    scoreStride: passing + 1,
  };
}

/** The first of some tiles, [owned, passing], whose arrays fit into the memory of a workgroup, if any do. */
export function tilesWithin(
  memory: number,
  headDim: number,
  sides: [owned: number, passing: number][],
  arraysOf: (t: Tiles) => Record<string, number>,
) {
  for (const [owned, passing] of sides) {
    const t = tiles(headDim, owned, passing);
    const arrays = arraysOf(t);
    if (4 * Object.values(arrays).reduce((sum, length) => sum + length) <= memory) return { t, arrays };
  }
  return undefined;
}

const shared = (arrays: Record<string, number>) =>
  Object.entries(arrays)
    .map(([name, length]) => `var<workgroup> ${name}: array<f32, ${length}>;`)
    .join("\n");

/** Positions in memory, and the invocation's place in the tile. */
const addresses = ({ headDim }: Tiles) => /* wgsl */ `
const scale = ${1 / Math.sqrt(headDim)};
fn partAt(part: u32, row: u32, batchHead: u32) -> u32 {
  let token = (batchHead / sizes.heads) * sizes.context + row;
  return ((token * 3u + part) * sizes.heads + batchHead % sizes.heads) * ${headDim}u;
}
fn outAt(row: u32, batchHead: u32) -> u32 {
  let token = (batchHead / sizes.heads) * sizes.context + row;
  return (token * sizes.heads + batchHead % sizes.heads) * ${headDim}u;
}`;

/** Copy `rows` rows from `first` on into shared memory, zeros past the context and past headDim. */
export const load = (to: string, from: string, at: (row: string) => string, rows: number, first: string, t: Tiles) => {
  const width = t.elements * COLUMNS;
  return /* wgsl */ `
    for (var i = lane; i < ${rows * width}u; i += ${LANES}u) {
      let r = i / ${width}u;
      let d = i % ${width}u;
      let row = ${first} + r;
      var value = 0.0;
      if (row < sizes.context && d < ${t.headDim}u) { value = ${from}[${at("row")} + d]; }
      ${to}[r * ${t.stride}u + d] = value;
    }`;
};

/** Where a part of qkv, or a row of out, starts. */
export const partOf = (part: number) => (row: string) => `partAt(${part}u, ${row}, group.y)`;
export const outOf = (row: string) => `outAt(${row}, group.y)`;

/** `name`[i][j] = owned row i . passing row j */
export const scores = (name: string, owned: string, passing: string, t: Tiles) => /* wgsl */ `
    var ${name} = array<array<f32, ${t.columns}>, ${t.rows}>();
    for (var d = 0u; d < ${t.headDim}u; d++) {
      for (var i = 0u; i < ${t.rows}u; i++) {
        let a = ${owned}[(y * ${t.rows}u + i) * ${t.stride}u + d];
        for (var j = 0u; j < ${t.columns}u; j++) {
          ${name}[i][j] = fma(a, ${passing}[(x + j * ${COLUMNS}u) * ${t.stride}u + d], ${name}[i][j]);
        }
      }
    }`;

/** For every score of the invocation: `body` with its row i, column j, and place `at` in shared memory. */
export const eachScore = (t: Tiles, body: string) => /* wgsl */ `
    for (var i = 0u; i < ${t.rows}u; i++) {
      for (var j = 0u; j < ${t.columns}u; j++) {
        let at = (y * ${t.rows}u + i) * ${t.scoreStride}u + x + j * ${COLUMNS}u;
        let ownedRow = first + y * ${t.rows}u + i;
        let passingRow = begin + x + j * ${COLUMNS}u;
        ${body}
      }
    }`;

/** For every passing row r and owned row i: `before`, then `body` for each element j of the result. */
export const eachProduct = (t: Tiles, before: string, body: string) => /* wgsl */ `
    for (var r = 0u; r < ${t.passing}u; r++) {
      for (var i = 0u; i < ${t.rows}u; i++) {
        let at = (y * ${t.rows}u + i) * ${t.scoreStride}u + r;
        ${before}
        for (var j = 0u; j < ${t.elements}u; j++) {
          let d = r * ${t.stride}u + x + j * ${COLUMNS}u;
          ${body}
        }
      }
    }`;

/** For every element of the owned rows that exists: `body` with its row and element. */
export const eachResult = (t: Tiles, body: string, perRow = "") => /* wgsl */ `
  for (var i = 0u; i < ${t.rows}u; i++) {
    let row = first + y * ${t.rows}u + i;
    if (row < sizes.context) {
      for (var j = 0u; j < ${t.elements}u; j++) {
        let d = x + j * ${COLUMNS}u;
        if (d < ${t.headDim}u) { ${body} }
      }
      ${perRow}
    }
  }`;

export const result = (name: string, t: Tiles) => `var ${name} = array<array<f32, ${t.elements}>, ${t.rows}>();`;

export function source(
  { batch, context, heads }: AttentionSizes,
  t: Tiles,
  functions: string,
  arrays: Record<string, number>,
  body: string,
): KernelSource {
  return {
    form: "groups",
    groups: [Math.ceil(context / t.owned), batch * heads, 1],
    workgroup: LANES,
    wgsl: `${shared(arrays)}${functions}
${addresses(t)}
fn run(group: vec3u, lane: u32) {
  let x = lane % ${COLUMNS}u;
  let y = lane / ${COLUMNS}u;
  let first = group.x * ${t.owned}u;
${body}
}`,
  };
}
