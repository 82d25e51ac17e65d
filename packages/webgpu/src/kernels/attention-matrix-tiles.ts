// The pieces that the kernels of attention-matrix.ts are put together from; the picture is there.
//
// Workgroup memory, in units of 8 halfs or 4 floats (a vec4u):
//
//   strips   one a subgroup: 32 rows of 7 units: 4 for a block of 32 x 16 results as f32, 2 for the block of f16 operands that
//            it becomes
//   panels   the 16 passing rows of an operand, in one piece or as two halves along headDim; an operand that is still read
//            while its next rows arrive has two slots, taken in turn
//
// Rows are padded to an odd number of units, so that they start in different banks. As in matrix-operand.ts a fragment names
// its strip or panel by a pointer and its place inside by literals.

import type { KernelSource } from "../kernel";
import type { AttentionSizes } from "./attention-shape";
import { each } from "./matmul-parts";
import { fragmentTypes, halfs } from "./matrix-fragments";
import { FRAGMENT, UNIT } from "./matrix-shape";

/** Rows that pass by in one round. */
export const PASSING = 16;

/** Subgroups of a workgroup. */
export const SUBGROUPS = 4;
const THREADS = 32 * SUBGROUPS;

/** Rows of a subgroup's share. */
export const SHARE = 32;

const STRIP_ROW = 7;
const SECOND_FRAGMENT = FRAGMENT * STRIP_ROW;

/** Unit of a strip's row where the block of f16 operands starts. */
export const OPERAND = 4;

/** The width that a head is filled up to with zeros: one that the workgroup can copy evenly. */
export const paddedHead = (headDim: number): number => [32, 64, 128].find((width) => headDim <= width)!;

/** The numbers below `count`. */
export const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** WGSL for a vector of four numbers from `first` on. */
export const fourFrom = (first: number): string => `vec4u(${range(4).map((e) => `${first + e}u`)})`;

/** Number of fragments along a head. */
export const blocksOf = (headDim: number): number => paddedHead(headDim) / FRAGMENT;

/** The type as which tensors of halfs are bound: whole units, where rows of a head consist of them. */
const halvesType = (headDim: number): string => (headDim % UNIT === 0 ? "vec4u" : "vec2u");

/** WGSL of `unitOf_BUFFER(at, column)`: a unit of a head's row that starts at `at`, zeros past its end. */
function unitFunction(buffer: string, headDim: number): string {
  const vectors = headDim / 4;
  const whole = headDim % UNIT === 0;
  const part = (at: string, inside: string, zeros: string) =>
    paddedHead(headDim) === headDim ? `${buffer}[${at}]` : `select(${zeros}, ${buffer}[${at}], ${inside})`;
  const body = whole
    ? `return ${part("at / 2u + column", `column < ${vectors / 2}u`, "vec4u()")};`
    : `return vec4u(${part("at + 2u * column", `2u * column < ${vectors}u`, "vec2u()")}, ${part("at + 2u * column + 1u", `2u * column + 1u < ${vectors}u`, "vec2u()")});`;
  return `fn unitOf_${buffer}(at: u32, column: u32) -> vec4u { ${body} }`;
}

/** Where a row of a part of qkv, or of out, starts, in vectors of four elements. */
export const partOf = (part: number | string) => (row: string) =>
  `partAt(${part}${typeof part === "number" ? "u" : ""}, ${row})`;
export const outOf = (row: string) => `outAt(${row})`;

/** One of the operands that pass by. */
export interface Passing {
  buffer: string;
  at(row: string): string;
  slots: 1 | 2;
}

/** How the panels of a kernel lie. */
export interface Panels {
  /** Panels that a row is cut into. */
  pieces: 1 | 2;
  panelRow: number;
  panelUnits: number;
  count: number;
}

export function panelsOf(operands: [Passing, Passing], pieces: 1 | 2, headDim: number): Panels {
  const panelRow = paddedHead(headDim) / UNIT / pieces + 1;
  return {
    pieces,
    panelRow,
    // Units 4 more, so that the two halves of a row start in different banks.
    panelUnits: PASSING * panelRow + (pieces === 2 ? 4 : 0),
    count: (operands[0].slots + operands[1].slots) * pieces,
  };
}

/** The way of two passing operands, each by itself: `load` reads the rows from `begin` on into registers, `store` puts them into the panels. */
export function stagePassing(
  operands: [Passing, Passing],
  { pieces, panelRow }: Panels,
  { headDim, context }: AttentionSizes,
) {
  const rowUnits = paddedHead(headDim) / UNIT;
  const pieceUnits = rowUnits / pieces;
  // Where a half of the workgroup is enough for an operand, each half brings one.
  const shared = PASSING * rowUnits < THREADS;
  const passes = shared ? 1 : (PASSING * rowUnits) / THREADS;
  const rows = PASSING / passes;
  const names = shared ? ["unitX", "unitX"] : ["unitX", "unitY"];
  const declare = [
    `let unitColumn = lane % ${rowUnits}u;`,
    `let unitRow = lane / ${rowUnits}u % ${rows}u;`,
    `let unitAt = unitRow * ${panelRow}u + unitColumn % ${pieceUnits}u;`,
    `let unitPiece = unitColumn / ${pieceUnits}u % ${pieces}u;`,
    ...[...new Set(names)].flatMap((name) => Array.from({ length: passes }, (_, i) => `var ${name}${i} = vec4u();`)),
  ];
  const mine = (o: number, statements: string) =>
    shared ? `    if (lane / ${THREADS / 2}u == ${o}u) {\n${statements}\n    }` : statements;
  const load = (o: 0 | 1, begin: string) =>
    mine(
      o,
      each(
        passes,
        (i) =>
          `    ${names[o]}${i} = unitOf_${operands[o].buffer}(${operands[o].at(`min(${begin} + unitRow + ${i * rows}u, ${context - 1}u)`)}, unitColumn);`,
      ),
    );
  const store = (o: 0 | 1, slot = "0u") => {
    const first = o === 0 ? 0 : operands[0].slots * pieces;
    const turn = operands[o].slots === 1 ? "" : ` + (${slot}) % 2u * ${pieces}u`;
    return mine(
      o,
      each(
        passes,
        (i) => `    panels[${first}u${turn} + unitPiece][unitAt + ${i * rows * panelRow}u] = ${names[o]}${i};`,
      ),
    );
  };
  return { declare: declare.join("\n  "), load, store };
}

/** Fragment number `block` along the rows of a panel. */
export function passingFragment(pointer: string, block: number, major: "row" | "col", { panelRow }: Panels): string {
  return `subgroupMatrixLoad<Right, ${major}_major>(${pointer}, ${(block * FRAGMENT) / UNIT}u, ${panelRow}u)`;
}

/** Fragments of the subgroup's 32 rows of an operand, `name`0_k and `name`1_k, from WGSL for the units of this lane's row. */
export const ownFragments = (name: string, headDim: number, unit: (column: number) => string) =>
  each(
    blocksOf(headDim),
    (k) => `
  workgroupBarrier();
  (*strip)[stripRow] = ${unit(2 * k)};
  (*strip)[stripRow + 1u] = ${unit(2 * k + 1)};
  workgroupBarrier();
${loadBlock(name, `_${k}`, "strip", 0)}`,
  );

/** `name`0 and `name`1: the block of 32 x 16 halfs that starts in unit `unit` of the strip's rows. */
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

/** scores = own rows . passing rows, into the strip. */
export const scoreBlock = (own: string, fragments: string[]) => `    {
      var scores0 = Result();
      var scores1 = Result();
${fragments
  .map(
    (fragment, k) => `      {
        let right = ${fragment};
${each(2, (i) => `        scores${i} = subgroupMatrixMultiplyAccumulate(${own}${i}_${k}, right, scores${i});`)}
      }`,
  )
  .join("\n")}
${storeBlock("scores")}
    }`;

/** `sum` += a strip's block of operands times passing rows, over the blocks along the head that `fragments` gives. */
export const addProducts = (sum: string, fragments: string[], strip = "strip") => `    {
${loadBlock("weights", "", strip, OPERAND)}
${fragments
  .map(
    (fragment, j) => `      {
        let right = ${fragment};
${each(2, (i) => `        ${sum}${i}_${j} = subgroupMatrixMultiplyAccumulate(weights${i}, right, ${sum}${i}_${j});`)}
      }`,
  )
  .join("\n")}
    }`;

export const results = (sum: string, blocks: number) =>
  each(blocks, (j) => `  var ${sum}0_${j} = Result(); var ${sum}1_${j} = Result();`);

/**
 * Hand the results out by rows: `write` gets a vec4f and its number in this invocation's row. `after` is WGSL for the number
 * of the first one, and how large it may be, where it is not 0.
 */
export const eachRow = (
  sum: string,
  blocks: number,
  headDim: number,
  write: (vector: string, number: number) => string,
  after: { first: string; most: number } = { first: "0u", most: 0 },
) =>
  each(
    blocks,
    (j) => `  workgroupBarrier();
${storeBlock(sum, `_${j}`)}
  workgroupBarrier();
  if (ownRow < sizes.context) {
${[0, 1, 2, 3]
  .map((v) => [v, 4 * j + v] as const)
  .filter(([, number]) => number < headDim / 4)
  .map(([v, number]) => {
    const statement = write(`bitcast<vec4f>((*strip)[stripRow + ${v}u])`, number);
    return number + after.most < headDim / 4
      ? `    ${statement}`
      : `    if (${after.first} + ${number}u < ${headDim / 4}u) { ${statement} }`;
  })
  .join("\n")}
  }`,
  );

/** A kernel of subgroups that own `ownedRows` rows of one head together. */
export function matrixSource(
  { batch, context, heads, headDim }: AttentionSizes,
  { ownedRows, panels }: { ownedRows: number; panels: Panels },
  { halves, written }: { halves: string[]; written: string },
  declarations: string,
  body: string,
): KernelSource {
  return {
    form: "groups",
    groups: [Math.ceil(context / ownedRows), batch * heads, 1],
    workgroup: THREADS,
    matrixUnits: true,
    results: [written],
    vectors: { ...Object.fromEntries(halves.map((name) => [name, halvesType(headDim)])), [written]: "vec4f" },
    wgsl: /* wgsl */ `
${fragmentTypes}
var<workgroup> strips: array<array<vec4u, ${SHARE * STRIP_ROW}>, ${SUBGROUPS}>;
var<workgroup> panels: array<array<vec4u, ${panels.panelUnits}>, ${panels.count}>;
${declarations}
const scale = ${1 / Math.sqrt(headDim)};
const log2Scale = ${Math.LOG2E / Math.sqrt(headDim)};
var<private> begins: u32;
var<private> headOf: u32;
${halfs}
fn partAt(part: u32, row: u32) -> u32 {
  return (((begins + row) * 3u + part) * ${heads}u + headOf) * ${headDim / 4}u;
}
fn outAt(row: u32) -> u32 { return ((begins + row) * ${heads}u + headOf) * ${headDim / 4}u; }
${halves.map((buffer) => unitFunction(buffer, headDim)).join("\n")}
fn run(group: vec3u, index: u32, subgroup: u32, subgroupLane: u32) {
  let lane = index % ${THREADS}u;
  begins = group.y / ${heads}u * ${context}u;
  headOf = group.y % ${heads}u;
  let strip = &strips[subgroup % ${SUBGROUPS}u];
  let stripRow = subgroupLane % 32u * ${STRIP_ROW}u;
${body}
}`,
  };
}
