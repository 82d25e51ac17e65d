// The pieces that the kernels of attention-vector.ts are put together from; the picture is there.

import type { KernelSource } from "../kernel";
import type { AttentionSizes } from "./attention-shape";
import { each } from "./matmul-parts";

/** Invocations of a workgroup. */
export const LANES = 128;
/** Elements of a vector. */
export const AXES = ["x", "y", "z", "w"] as const;

/** Scores are compared as powers of two. */
export const log2Scale = (headDim: number) => Math.LOG2E / Math.sqrt(headDim);

/** Rows of one head in memory. */
export interface Rows {
  buffer: string;
  /** WGSL for where a row starts, in vec4f. */
  at(row: string): string;
}

/** Rows whose distance is known: `parts` rows of all heads. */
interface EvenRows extends Rows {
  name: string;
  parts: number;
}

/** Queries (0), keys (1) or values (2). */
export const partOf = (part: number): EvenRows => ({
  buffer: "qkv",
  at: (row) => `partAt(${part}u, ${row})`,
  name: `part${part}`,
  parts: 3,
});
export const outOf: EvenRows = { buffer: "dout", at: (row) => `outAt(${row})`, name: "dout", parts: 1 };

/**
 * Where row `begin + i` starts, of the `passing` rows that pass by from `begin` on; past the end the last row repeats. `first` is
 * a declaration for before the loop over i: finding every row anew took a tenth of the time.
 */
export function passingRow(
  { at, name, parts }: EvenRows,
  passing: number,
  { context, heads, headDim }: AttentionSizes,
) {
  if (context % passing !== 0) return { first: "", at: (i: string) => at(`min(begin + ${i}, ${context - 1}u)`) };
  const from = `${name}From`;
  return {
    first: `let ${from} = ${at("begin")};`,
    at: (i: string) => `${from} + ${i} * ${(parts * heads * headDim) / 4}u`,
  };
}

/** A share of the workgroup, and the WGSL for which of it an invocation is. */
interface Workers {
  count: number;
  index: string;
}
const all: Workers = { count: LANES, index: "lane" };
/** Of half the workgroup, each half for itself. */
export const halfOfAll: Workers = { count: LANES / 2, index: `lane % ${LANES / 2}u` };

/**
 * Turn `rows` rows from `first` on into `tile`, from `offset` on; past the end the last row repeats. Only a part of the head's
 * elements where `part` says so.
 */
export function turn(
  tile: string,
  offset: string,
  from: Rows,
  rows: number,
  first: string,
  { headDim, context }: AttentionSizes,
  workers = all,
  part = { first: "0u", elements: headDim },
) {
  const blocks = rows / 4;
  const passes = (blocks * part.elements) / 4 / workers.count;
  return each(
    Math.ceil(passes),
    (pass) => /* wgsl */ `
    ${passes < 1 ? `if (${workers.index} < ${passes * workers.count}u) ` : ""}{
      let block = ${workers.index} + ${pass * workers.count}u;
      let rowBlock = block % ${blocks}u;
      let elements = block / ${blocks}u % ${part.elements / 4}u * 4u;
${each(4, (i) => `      let row${i} = ${from.buffer}[${from.at(`min(${first} + rowBlock * 4u + ${i}u, ${context - 1}u)`)} + (${part.first} + elements) / 4u];`)}
${AXES.map((axis, j) => `      ${tile}[${offset} + (elements + ${j}u) * ${blocks}u + rowBlock] = vec4f(row0.${axis}, row1.${axis}, row2.${axis}, row3.${axis});`).join("\n")}
    }`,
  );
}

/** `score`0.. += left x right.x, left x right.y, ...: vectors over the rows of `left`, one for each of `columns` of `right`. */
export const addScores = (left: string, right: string, columns: readonly string[]) =>
  columns.map((axis, k) => `      score${k} = fma(${left}, vec4f(${right}.${axis}), score${k});`).join("\n");

/** A vector that counts rows from `first` on. */
export const rowsFrom = (first: string) => `(${first} + vec4u(0u, 1u, 2u, 3u))`;

/** A kernel whose workgroups own `owned` rows of a head, with arrays of vectors in workgroup memory. */
export function source(
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
