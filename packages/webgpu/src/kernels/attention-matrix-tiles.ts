// The pieces that the kernels of attention-matrix.ts are put together from; the picture is there.
//
// Workgroup memory, in units of 8 halfs or 4 floats (a vec4u):
//
//   strips   one a subgroup: 32 rows of 4 units, where a block of 32 x 16 results, as f32, becomes a block of f16 operands
//   panels   the 16 passing rows of two operands, each as two halves along headDim
//
// Rows are padded to an odd number of units, so that they start in different banks. As in matrix-operand.ts a fragment names
// its strip or panel by a pointer and its place inside by literals.

import type { KernelSource } from "../kernel";
import type { AttentionSizes } from "./attention-shape";
import { each } from "./matmul-parts";
import { FRAGMENT, UNIT } from "./matrix-operand";

/** Rows that pass by in one round. */
export const PASSING = 16;

/** Rows of a subgroup's share. */
export const SHARE = 32;

const THREADS = 128;
const STRIP_ROW = 5;
const SECOND_FRAGMENT = FRAGMENT * STRIP_ROW;

/** Widths of a head that matrix units can work on. */
export const fitsMatrixUnits = ({ headDim }: AttentionSizes): boolean => [32, 64, 128].includes(headDim);

/** Numbers of fragments along a head, and the measures of a panel. */
export function measures(headDim: number) {
  const halfUnits = headDim / 2 / UNIT;
  const panelRow = halfUnits + 1;
  return { blocks: headDim / FRAGMENT, halfUnits, panelRow, panelUnits: PASSING * panelRow + 4 };
}

/** Where a row of a part of qkv, or of out, starts, in vec4f. */
export const partOf = (part: number | string) => (row: string) =>
  `partAt(${part}${typeof part === "number" ? "u" : ""}, ${row})`;
export const outOf = (row: string) => `outAt(${row})`;

/** One of the operands that pass by. */
export interface Passing {
  buffer: string;
  at(row: string): string;
}

/** The way of two passing operands: `load` reads the tile of a round into registers, `store` rounds them into the panels. */
export function stagePassing(operands: [Passing, Passing], { headDim, context }: AttentionSizes) {
  const { halfUnits, panelRow } = measures(headDim);
  const rowUnits = headDim / UNIT;
  const shared = PASSING * rowUnits < THREADS;
  const passes = shared ? 1 : (PASSING * rowUnits) / THREADS;
  const rows = PASSING / passes;
  const names = shared ? ["x"] : ["x", "y"];
  const declare = [
    `let unitColumn = lane % ${rowUnits}u;`,
    `let unitRow = lane / ${rowUnits}u % ${rows}u;`,
    `let unitAt = unitRow * ${panelRow}u + unitColumn % ${halfUnits}u;`,
    `let unitPanel = unitColumn / ${halfUnits}u % 2u;`,
    ...names.flatMap((name) =>
      Array.from({ length: passes }, (_, i) => `var ${name}Low${i} = vec4f(); var ${name}High${i} = vec4f();`),
    ),
  ];
  const read = (name: string, { buffer, at }: Passing, i: number, row: string) => `
      {
        let at = ${at(`min(${row}, ${context - 1}u)`)} + unitColumn * 2u;
        ${name}Low${i} = ${buffer}[at];
        ${name}High${i} = ${buffer}[at + 1u];
      }`;
  const load = (begin: string) =>
    each(passes, (i) => {
      const row = `${begin} + unitRow + ${i * rows}u`;
      if (shared) {
        return `    if (lane < ${THREADS / 2}u) ${read("x", operands[0], i, row)} else ${read("x", operands[1], i, row)}`;
      }
      return operands.map((operand, o) => read(names[o]!, operand, i, row)).join("");
    });
  const store = each(passes, (i) => {
    const at = `unitAt + ${i * rows * panelRow}u`;
    if (shared) return `    panels[lane / ${THREADS / 2}u % 2u * 2u + unitPanel][${at}] = halfs(xLow${i}, xHigh${i});`;
    return each(2, (o) => `    panels[unitPanel + ${o * 2}u][${at}] = halfs(${names[o]}Low${i}, ${names[o]}High${i});`);
  });
  return { declare: declare.join("\n  "), load, store };
}

/** Fragment number `block` along the head of a passing operand, whose halves `pointers` name. */
export function passingFragment(
  pointers: [string, string],
  block: number,
  major: "row" | "col",
  headDim: number,
): string {
  const { blocks, panelRow } = measures(headDim);
  const half = Math.floor(block / (blocks / 2));
  const unit = ((block % (blocks / 2)) * FRAGMENT) / UNIT;
  return `subgroupMatrixLoad<Right, ${major}_major>(${pointers[half]}, ${unit}u, ${panelRow}u)`;
}

/** Fragments of the subgroup's 32 rows of an operand, `name`0_k and `name`1_k, from WGSL for the units of a row. */
export const ownFragments = (name: string, headDim: number, units: (block: number) => [string, string]) =>
  each(
    measures(headDim).blocks,
    (k) => `
  workgroupBarrier();
  (*strip)[stripRow] = ${units(k)[0]};
  (*strip)[stripRow + 1u] = ${units(k)[1]};
  workgroupBarrier();
${loadBlock(`${name}`, `_${k}`, "strip", 0)}`,
  );

/** `name`0 and `name`1: the block of 32 x 16 halfs that starts in unit `unit` of a strip's rows. */
export const loadBlock = (name: string, suffix: string, strip: string, unit: number) =>
  each(
    2,
    (i) =>
      `  let ${name}${i}${suffix} = subgroupMatrixLoad<Left, row_major>(${strip}, ${unit + i * SECOND_FRAGMENT}u, ${STRIP_ROW}u);`,
  );

/** Store the results `name`0 and `name`1 in the subgroup's strip. */
export const storeBlock = (name: string, suffix = "") =>
  each(
    2,
    (i) => `    subgroupMatrixStore<row_major>(strip, ${i * SECOND_FRAGMENT}u, ${name}${i}${suffix}, ${STRIP_ROW}u);`,
  );

/** Read the results `name`0 and `name`1 back. */
export const reloadBlock = (name: string, suffix: string) =>
  each(
    2,
    (i) =>
      `    ${name}${i}${suffix} = subgroupMatrixLoad<Result, row_major>(strip, ${i * SECOND_FRAGMENT}u, ${STRIP_ROW}u);`,
  );

/** scores0 and scores1 = own rows . passing rows, into the strip. */
export const scoreBlock = (own: string, pointers: [string, string], headDim: number) => `
      var scores0 = Result();
      var scores1 = Result();
${each(
  measures(headDim).blocks,
  (k) => `      {
        let right = ${passingFragment(pointers, k, "col", headDim)};
${each(2, (i) => `        scores${i} = subgroupMatrixMultiplyAccumulate(${own}${i}_${k}, right, scores${i});`)}
      }`,
)}
${storeBlock("scores")}`;

/** `sum` += the block of weights in a strip times passing rows, over the blocks along the head that `fragments` gives. */
export const addProducts = (sum: string, strip: string, unit: number, fragments: string[]) => `
${loadBlock("weights", "", strip, unit)}
${fragments
  .map(
    (fragment, j) => `      {
        let right = ${fragment};
${each(2, (i) => `        ${sum}${i}_${j} = subgroupMatrixMultiplyAccumulate(weights${i}, right, ${sum}${i}_${j});`)}
      }`,
  )
  .join("\n")}`;

export const results = (sum: string, blocks: number) =>
  each(blocks, (j) => `  var ${sum}0_${j} = Result(); var ${sum}1_${j} = Result();`);

/** Hand the results out by rows: `write` gets the block and the WGSL for its four vec4f in this invocation's row. */
export const eachRow = (sum: string, blocks: number, write: (block: number, vectors: string[]) => string) =>
  each(
    blocks,
    (j) => `  workgroupBarrier();
${storeBlock(sum, `_${j}`)}
  workgroupBarrier();
  if (ownRow < sizes.context) {
${write(
  j,
  [0, 1, 2, 3].map((v) => `bitcast<vec4f>((*strip)[stripRow + ${v}u])`),
)}
  }`,
  );

/** A kernel of 4 subgroups whose grid is `tiles` a head. */
export function matrixSource(
  { batch, context, heads, headDim }: AttentionSizes,
  ownedRows: number,
  buffers: string[],
  declarations: string,
  body: string,
): KernelSource {
  const { panelUnits } = measures(headDim);
  return {
    form: "groups",
    groups: [Math.ceil(context / ownedRows), batch * heads, 1],
    workgroup: THREADS,
    matrixUnits: true,
    vectors: Object.fromEntries(buffers.map((name) => [name, "vec4f"])),
    wgsl: /* wgsl */ `
alias Left = subgroup_matrix_left<f16, ${FRAGMENT}, ${FRAGMENT}>;
alias Right = subgroup_matrix_right<f16, ${FRAGMENT}, ${FRAGMENT}>;
alias Result = subgroup_matrix_result<f32, ${FRAGMENT}, ${FRAGMENT}>;
var<workgroup> strips: array<array<vec4u, ${SHARE * STRIP_ROW}>, ${THREADS / 32}>;
var<workgroup> panels: array<array<vec4u, ${panelUnits}>, 4>;
${declarations}
const scale = ${1 / Math.sqrt(headDim)};
const log2Scale = ${Math.LOG2E / Math.sqrt(headDim)};
var<private> begins: u32;
var<private> headOf: u32;
fn halfs(low: vec4f, high: vec4f) -> vec4u {
  return vec4u(pack2x16float(low.xy), pack2x16float(low.zw), pack2x16float(high.xy), pack2x16float(high.zw));
}
fn partAt(part: u32, row: u32) -> u32 {
  return (((begins + row) * 3u + part) * ${heads}u + headOf) * ${headDim / 4}u;
}
fn outAt(row: u32) -> u32 { return ((begins + row) * ${heads}u + headOf) * ${headDim / 4}u; }
fn run(group: vec3u, index: u32, subgroup: u32, subgroupLane: u32) {
  let lane = index % ${THREADS}u;
  begins = group.y / ${heads}u * ${context}u;
  headOf = group.y % ${heads}u;
  let strip = &strips[subgroup % ${THREADS / 32}u];
  let stripRow = subgroupLane % 32u * ${STRIP_ROW}u;
${body}
}`,
  };
}
