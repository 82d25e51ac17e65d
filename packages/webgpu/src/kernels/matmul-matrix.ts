// The product on matrix units (tensor cores): operands are f16 or rounded to it, sums stay f32. A workgroup computes a tile of c;
// each of its subgroups a share of the tile, in fragments of 16 x 16 held in registers. Per step of 32 or 64 along the sum:
//
//   memory ───────> registers ──f16──> panels in workgroup memory ──fragments──> multiply and accumulate
//            \_ of the next step, while this one multiplies        (matrix-operand.ts)
//
// Results leave through the panels, 16 bytes of a row at a time, since a fragment stored to a buffer directly keeps a guard.
// A shader takes a driver half a second to compile, so products share one (`shared`) where what differs is not what its loop
// multiplies by.

import type { KernelSource } from "../kernel";
import { each, resultVectors, storeResult } from "./matmul-parts";
import type { MatrixProduct, ProductTurn } from "./matmul-product";
import { fragmentTypes } from "./matrix-fragments";
import { stageOperand } from "./matrix-operand";
import { matrixRounds, stepsOfRound } from "./matrix-rounds";
import { FRAGMENT, type MatrixTile } from "./matrix-shape";

/** `products` products, one workgroup a tile. */
export function matrixMatmul(product: MatrixProduct, tile: MatrixTile): KernelSource {
  const { m, n, products, depth } = product;
  const { rows, columns, subgroupRows, subgroupColumns, step, stages } = tile;
  const known = !product.depthVaries && product.shared !== "depth";
  const end = product.endsInStep ? "terms" : undefined;
  const subgroups = subgroupRows * subgroupColumns;
  const threads = 32 * subgroups;
  const shareRows = rows / subgroupRows;
  const shareColumns = columns / subgroupColumns;
  // A panel is a subgroup's share, or the part of it that the other operand's panels have too.
  const common = Math.min(shareRows, shareColumns);
  const [panelA, panelB] =
    Math.max(shareRows, shareColumns) % common === 0 ? [common, common] : [shareRows, shareColumns];
  const [down, across] = [shareRows / FRAGMENT, shareColumns / FRAGMENT];

  const stagePanels = rows / panelA + columns / panelB;
  const both = { step, stages, stagePanels, threads, end };
  const a = stageOperand(product.a, {
    name: "a",
    size: rows,
    panel: panelA,
    share: shareRows,
    origin: "firstRow",
    part: "shareRow",
    firstPanel: 0,
    ...both,
  });
  const b = stageOperand(product.b, {
    name: "b",
    size: columns,
    panel: panelB,
    share: shareColumns,
    origin: "firstColumn",
    part: "shareColumn",
    firstPanel: rows / panelA,
    ...both,
  });
  const units = Math.max(a.panelUnits, b.panelUnits);
  const panels = Math.max(stages * stagePanels, subgroups);
  const strip = stripOf(product, tile, units);
  const round = step * stepsOfRound(tile);
  const rounds = Math.ceil(depth.value / round);
  return {
    form: "groups",
    groups: [Math.ceil(n.value / columns) * Math.ceil(m.value / rows), 1, products],
    workgroup: threads,
    matrixUnits: true,
    specialize: product.shared ? false : undefined,
    vectors: {
      [product.a.buffer]: product.a.halves ? "vec4u" : "vec4f",
      [product.b.buffer]: product.b.halves ? "vec4u" : "vec4f",
      ...resultVectors(product, product.resultHalves ? "mat2x4f" : "vec4f"),
    },
    results: writesAlone(product) ? [product.result] : [],
    wgsl: `
${fragmentTypes}
var<workgroup> panels: array<array<vec4u, ${units}>, ${panels}>;
${product.functions ?? ""}${product.turn ? turning(product.turn) : ""}
fn run(group: vec3u, lane: u32, subgroup: u32, subgroupLane: u32) {
  let product = group.z;
  let tilesAcross = (${n.wgsl} + ${columns - 1}u) / ${columns}u;
  let tilesDown = (${m.wgsl} + ${rows - 1}u) / ${rows}u;
  // Tiles follow one another along the shorter side: what then passes again and again is the smaller operand, and stays in a cache.
  let downFirst = ${n.wgsl} > ${m.wgsl};
  let tileRow = select(group.x / tilesAcross, group.x % tilesDown, downFirst);
  let tileColumn = select(group.x % tilesAcross, group.x / tilesDown, downFirst);
  let firstRow = tileRow * ${rows}u;
  let firstColumn = tileColumn * ${columns}u;
  let shareRow = subgroup / ${subgroupColumns}u % ${subgroupRows}u;
  let shareColumn = subgroup % ${subgroupColumns}u;
  ${product.setup}
  let terms = ${depth.wgsl};
  ${known ? "" : `let rounds = (terms + ${round - 1}u) / ${round}u;`}
${a.declare}
${b.declare}
${each(down, (i) => each(across, (j) => `  var sum${i}_${j} = Result();`))}
${matrixRounds({ a, b, tile, down, across, known: known ? rounds : undefined })}
${strip}
}`,
  };
}

/** Whether all that a product does with its result is to write it, so that it may be rounded. */
function writesAlone({ base, spare, finish }: MatrixProduct): boolean {
  return base === undefined && spare === undefined && finish === undefined;
}

/** The way of results out: strips of 16 rows through a panel of the subgroup's own, as wide as its `units` hold. */
function stripOf(product: MatrixProduct, tile: MatrixTile, units: number): string {
  const { m, n, startC, finish } = product;
  const { rows, columns, subgroupRows, subgroupColumns } = tile;
  const shareRows = rows / subgroupRows;
  const shareColumns = columns / subgroupColumns;
  const width = [64, 32].find((w) => shareColumns % w === 0 && FRAGMENT * (w / 4 + 1) <= units) ?? FRAGMENT;
  const stride = width / 4 + 1;
  // What an invocation writes at once: 16 bytes, so that neighbours write whole stretches of memory.
  const vectors = product.resultHalves || finish ? 2 : 1;
  // Of pairs of columns an invocation takes both.
  const sides = finish?.pairs ? 2 : 1;
  const lanesAcross = width / (4 * vectors * sides);
  const rowsAtOnce = 32 / lanesAcross;
  const fragments = width / FRAGMENT;

  const writeRow = (i: number, half: number, x: number) => {
    const row = i * FRAGMENT + x * rowsAtOnce;
    const column = half * lanesAcross;
    const conditions = [
      m.value % rows === 0 ? "" : `resultRow + ${row}u < ${m.wgsl}`,
      n.value % columns === 0 ? "" : `resultColumn + ${column}u < ${n.wgsl} / ${4 * vectors}u`,
    ].filter(Boolean);
    const at = `resultAt + ${row}u * resultWidth + ${column}u`;
    const four = (index: number) => `bitcast<vec4f>((*strip)[stripAt + ${x * rowsAtOnce * stride + index}u])`;
    const plain = (index: number) => (vectors === 2 ? `mat2x4f(${four(index)}, ${four(index + 1)})` : four(index));
    const { turn } = product;
    const value = turn ? "value" : plain(0);
    const before = turn ? turnedValue(plain(0), row, column, x * rowsAtOnce * stride, vectors, turn) : "";
    const write = finish
      ? `${finish.call}(${[at, value, ...(finish.pairs ? [plain(width / 8)] : [])].join(", ")});`
      : writesAlone(product)
        ? `write_${product.result}(${at}, ${value});`
        : storeResult(product, at, value);
    const guarded = conditions.length === 0 ? write : `if (${conditions.join(" && ")}) { ${write} }`;
    return before ? `  {${before} ${guarded} }` : `  ${guarded}`;
  };
  const writeStrip = (i: number, half: number) => `
  workgroupBarrier();
${each(fragments, (j) => `  subgroupMatrixStore<row_major>(strip, ${(j * FRAGMENT) / 4}u, sum${i}_${half * fragments + j}, ${stride}u);`)}
  workgroupBarrier();
${each(FRAGMENT / rowsAtOnce, (x) => writeRow(i, half, x))}`;

  return `
  let strip = &panels[subgroup % ${subgroupRows * subgroupColumns}u];
  let stripRow = subgroupLane % 32u / ${lanesAcross}u;
  let stripColumn = subgroupLane % ${lanesAcross}u;
  let stripAt = stripRow * ${stride}u + stripColumn * ${vectors}u;
  let resultRow = firstRow + shareRow * ${shareRows}u + stripRow;
  let resultColumn = (firstColumn + shareColumn * ${shareColumns}u) / ${4 * vectors * sides}u + stripColumn;
  let resultWidth = ${finish?.rowLength ?? n.wgsl} / ${4 * vectors}u;
${product.turn ? turnedLanes(product.turn, vectors, stride) : ""}
  let resultAt = (${startC}) / ${4 * vectors}u + resultRow * resultWidth + resultColumn;
${each(shareRows / FRAGMENT, (i) => each(shareColumns / width, (half) => writeStrip(i, half)))}`;
}

/** Rotary position embedding on the way out: a strip's rows have whole heads, and so the partner of each of their elements. */
const turning = ({ rotation }: ProductTurn): string => /* wgsl */ `
alias Wide = vec4f;${rotation}
fn turned(own: vec4f, partner: vec4f, position: u32, element: f32) -> vec4f {
  let turn = rotation(position, element + vec4f(0.0, 1.0, 2.0, 3.0));
  return own * turn.cosine + partner * turn.sine;
}`;

/** Which elements of a head an invocation writes, and where their partners lie in the strip. */
const turnedLanes = ({ headDim }: ProductTurn, vectors: number, stride: number): string => `
  let stripVector = stripColumn * ${vectors}u;
  let partnerAt = stripRow * ${stride}u + (stripVector ^ ${headDim / 8}u);
  let partnerSign = select(1.0, -1.0, stripVector % ${headDim / 4}u < ${headDim / 8}u);
  let headElement = f32(stripVector % ${headDim / 8}u * 4u);
  let turnedWidth = resultWidth / 3u * 2u;`;

/** Declares `value`: what is stored, turned where it is of queries or keys. */
function turnedValue(
  plain: string,
  row: number,
  column: number,
  offset: number,
  vectors: number,
  { context }: ProductTurn,
): string {
  const turned = Array.from({ length: vectors }, (_, index) => {
    const at = (from: string) => `bitcast<vec4f>((*strip)[${from} + ${offset + index}u])`;
    return `turned(${at("stripAt")}, partnerSign * ${at("partnerAt")}, position, headElement + ${4 * index}.0)`;
  });
  return `
    var value = ${plain};
    if (resultColumn + ${column}u < turnedWidth) {
      let position = (resultRow + ${row}u) % ${context}u;
      value = ${vectors === 2 ? `mat2x4f(${turned.join(", ")})` : turned[0]};
    }
   `;
}
