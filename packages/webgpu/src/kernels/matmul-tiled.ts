// The product on graphics hardware: a workgroup computes a square tile of c. Per step along k it copies a strip of a and one
// of b to workgroup memory, stored k-major with rows padded by 4 so that copies spread over the memory banks; each
// invocation then multiplies its rows by its columns out of them, summing in registers.
//
//              n ->                      one invocation's 4 x 4 in a tile of 64:
//        +----+----+----+                  rows    y * 4 .. y * 4 + 3     (y = lane / 16)
//     m  | 64 | 64 | .. |                  columns x * 4 .. x * 4 + 3     (x = lane % 16)
//     |  +----+----+----+                its 8 x 8 in a tile of 128: the same, again at + 64 rows and + 64 columns
//
// Bounds are tested only along axes that the tile does not divide.

import type { KernelSource } from "../kernel";
import { each, type MatmulParts, storeRow } from "./matmul-parts";

/** Rows and columns of a workgroup's tile, the step along k, and the rows and columns of one invocation. */
interface Tile {
  size: number;
  step: number;
  perThread: 4 | 8;
}

const smallTile: Tile = { size: 32, step: 16, perThread: 4 };
const mediumTile: Tile = { size: 64, step: 16, perThread: 4 };
const largeTile: Tile = { size: 128, step: 8, perThread: 8 };

/** The tile that grouped products have on this class: their rows are padded to its size. */
export const groupedTile = mediumTile;

/** Small tiles where larger ones would leave most of a device idle, large ones where both axes are long. */
function tileFor(batch: number, m: number, n: number): Tile {
  const workgroups = batch * Math.ceil(m / mediumTile.size) * Math.ceil(n / mediumTile.size);
  if (workgroups < 64) return smallTile;
  return Math.min(m, n) >= 1024 ? largeTile : mediumTile;
}

const PADDING = 4;

/** `batch` products of at most m x n each, one workgroup a tile. */
export function tiledMatmul(
  parts: MatmulParts,
  batch: number,
  m: number,
  n: number,
  tile = tileFor(batch, m, n),
): KernelSource {
  const { size, step, perThread } = tile;
  const side = size / perThread;
  const vectors = perThread / 4;
  const stride = size + PADDING;
  // Where the i-th of an invocation's rows or columns lies from its first.
  const offset = (i: number) => (i % 4) + Math.floor(i / 4) * (size / vectors);
  const rowInside = m % size === 0 ? [] : [`firstRow + r < ${parts.m}`];
  const columnInside = n % size === 0 ? [] : [`firstColumn + c < ${parts.n}`];
  const kInside = parts.knownDepth !== undefined && parts.knownDepth % step === 0 ? [] : ["start + k < depth"];

  const copies = (size * step) / side ** 2;
  const copyA = (i: number) => `    {
${position("r", parts.aIsColumnMajor, tile, i * side ** 2)}
      var value = 0.0;
      ${when([...rowInside, ...kInside], "value = elementA(firstRow + r, start + k);")}
      tileA[k * ${stride}u + r] = value;
    }`;
  const copyB = (i: number) => `    {
${position("c", !parts.bIsColumnMajor, tile, i * side ** 2)}
      var value = 0.0;
      ${when([...columnInside, ...kInside], "value = vectorB(start + k, vec4u(firstColumn + c)).x;")}
      tileB[k * ${stride}u + c] = value;
    }`;
  const readB = (v: number) => {
    const columns = [0, 1, 2, 3].map((j) => `tileB[at + x + ${offset(4 * v + j)}u]`);
    return `      let b${v} = vec4f(${columns.join(", ")});`;
  };
  const multiply = (i: number) => `      let a${i} = vec4f(tileA[at + y + ${offset(i)}u]);
${each(vectors, (v) => `      sum${i}_${v} = fma(a${i}, b${v}, sum${i}_${v});`)}`;
  const store = (i: number) => `  {
    let r = y + ${offset(i)}u;
${each(vectors, (v) => `    ${when(rowInside, `storeRow(firstRow + r, firstColumn + x + ${offset(4 * v)}u, sum${i}_${v});`)}`)}
  }`;
  return {
    form: "groups",
    groups: [Math.ceil(n / size), Math.ceil(m / size), batch],
    workgroup: side ** 2,
    wgsl: `
var<workgroup> tileA: array<f32, ${stride * step}>;
var<workgroup> tileB: array<f32, ${stride * step}>;
${parts.functions}
fn run(group: vec3u, lane: u32) {
  let product = group.z;
  let firstRow = group.y * ${size}u;
  let firstColumn = group.x * ${size}u;
  ${parts.setup}
  let depth = ${parts.depth};
  let x = (lane % ${side}u) * 4u;
  let y = (lane / ${side}u) * 4u;
${each(perThread, (i) => each(vectors, (v) => `  var sum${i}_${v} = vec4f();`))}
  for (var start = 0u; start < depth; start += ${step}u) {
${each(copies, copyA)}
${each(copies, copyB)}
    workgroupBarrier();
    for (var k = 0u; k < ${step}u; k++) {
      let at = k * ${stride}u;
${each(vectors, readB)}
${each(perThread, multiply)}
    }
    workgroupBarrier();
  }
${each(perThread, store)}
}
${storeRow(parts)}`,
  };
}

/** Which element of a strip a lane copies: neighbouring lanes go along the tile's side, or along k. */
function position(name: string, alongSide: boolean, { size, step }: Tile, first: number): string {
  const at = `(lane + ${first}u)`;
  if (alongSide) return `      let ${name} = ${at} % ${size}u;\n      let k = ${at} / ${size}u;`;
  return `      let ${name} = ${at} / ${step}u;\n      let k = ${at} % ${step}u;`;
}

/** A statement that runs where all conditions hold. */
function when(conditions: string[], statement: string): string {
  return conditions.length === 0 ? statement : `if (${conditions.join(" && ")}) { ${statement} }`;
}
