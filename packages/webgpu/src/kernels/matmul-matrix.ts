// The product on matrix units (tensor cores): operands are f16 or rounded to it, sums stay f32. A workgroup computes a tile of c;
// each of its subgroups a share of the tile, in fragments of 16 x 16 held in registers. Per step of 32 or 64 along the sum:
//
//   memory ───────> registers ──f16──> panels in workgroup memory ──fragments──> multiply and accumulate
//            \_ of the next step, while this one multiplies        (matrix-operand.ts)
//
// Results leave through the panels as rows of 16 bytes, since a fragment stored to a buffer directly keeps a guard.
// Loops run to a literal and break out: only such a loop is known to end, others get a counter of 64 bits. A shader takes a
// driver half a second to compile, so products share one (`shared`) where what differs is not what its loop multiplies by.

import type { KernelSource } from "../kernel";
import { each, resultVectors, storeResult } from "./matmul-parts";
import type { MatrixProduct } from "./matmul-product";
import { fragmentTypes } from "./matrix-fragments";
import { stageOperand } from "./matrix-operand";
import { FRAGMENT, type MatrixTile } from "./matrix-shape";

/** A literal that no number of rounds reaches. */
const MOST_ROUNDS = 2 ** 27;

/** `products` products, one workgroup a tile. */
export function matrixMatmul(product: MatrixProduct, tile: MatrixTile): KernelSource {
  const { m, n, products, depth } = product;
  const { rows, columns, subgroupRows, subgroupColumns, step } = tile;
  const known = !product.depthVaries && product.shared !== "depth";
  const rounds = Math.ceil(depth.value / step);
  const end = product.endsInStep ? "terms" : undefined;
  const subgroups = subgroupRows * subgroupColumns;
  const threads = 32 * subgroups;
  const shareRows = rows / subgroupRows;
  const shareColumns = columns / subgroupColumns;
  const panel = Math.min(shareRows, shareColumns);
  const [down, across] = [shareRows / FRAGMENT, shareColumns / FRAGMENT];

  const a = stageOperand(product.a, {
    name: "a",
    size: rows,
    panel,
    share: shareRows,
    step,
    origin: "firstRow",
    part: "shareRow",
    firstPanel: 0,
    threads,
    end,
  });
  const b = stageOperand(product.b, {
    name: "b",
    size: columns,
    panel,
    share: shareColumns,
    step,
    origin: "firstColumn",
    part: "shareColumn",
    firstPanel: rows / panel,
    threads,
    end,
  });
  const strip = stripOf(product, tile);
  const panels = (rows + columns) / panel;
  const units = Math.max(a.panelUnits, b.panelUnits, strip.units);

  const multiply = each(
    step / FRAGMENT,
    (at) => `    {
${each(down, (i) => `      let left${i} = ${a.fragment(i, at * FRAGMENT)};`)}
${each(
  across,
  (j) => `      {
        let right = ${b.fragment(j, at * FRAGMENT)};
${each(down, (i) => `        sum${i}_${j} = subgroupMatrixMultiplyAccumulate(left${i}, right, sum${i}_${j});`)}
      }`,
)}
    }`,
  );
  return {
    form: "groups",
    groups: [Math.ceil(n.value / columns) * Math.ceil(m.value / rows), 1, products],
    workgroup: threads,
    matrixUnits: true,
    specialize: product.shared ? false : undefined,
    vectors: {
      [product.a.buffer]: product.a.halves ? "vec4u" : "vec4f",
      [product.b.buffer]: product.b.halves ? "vec4u" : "vec4f",
      ...resultVectors(product),
    },
    results: writesAlone(product) ? [product.result] : [],
    wgsl: `
${fragmentTypes}
var<workgroup> panels: array<array<vec4u, ${units}>, ${panels}>;
${product.functions ?? ""}
fn run(group: vec3u, lane: u32, subgroup: u32, subgroupLane: u32) {
  let product = group.z;
  let tilesAcross = (${n.wgsl} + ${columns - 1}u) / ${columns}u;
  let tileRow = group.x / tilesAcross;
  let firstRow = tileRow * ${rows}u;
  let firstColumn = group.x % tilesAcross * ${columns}u;
  let shareRow = subgroup / ${subgroupColumns}u % ${subgroupRows}u;
  let shareColumn = subgroup % ${subgroupColumns}u;
  ${product.setup}
  let terms = ${depth.wgsl};
  ${known ? "" : `let rounds = (terms + ${step - 1}u) / ${step}u;`}
${a.declare}
${b.declare}
${each(down, (i) => each(across, (j) => `  var sum${i}_${j} = Result();`))}
${known ? "" : "  if (rounds > 0u) {"}
${a.load("0u")}
${b.load("0u")}
${known ? "" : "  }"}
  for (var round = 0u; round < ${known ? rounds : MOST_ROUNDS}u; round++) {
    ${known ? "" : "if (round >= rounds) { break; }"}
    workgroupBarrier();
${a.store}
${b.store}
    if (round + 1u < ${known ? `${rounds}u` : "rounds"}) {
${a.load("(round + 1u)")}
${b.load("(round + 1u)")}
    }
    workgroupBarrier();
${a.pointers}
${b.pointers}
${multiply}
  }
${strip.write}
}`,
  };
}

/** Whether all that a product does with its result is to write it, so that it may be rounded. */
function writesAlone({ base, spare }: MatrixProduct): boolean {
  return base === undefined && spare === undefined;
}

/** The way of results out: strips of 16 rows through a panel of the subgroup's own. */
function stripOf(product: MatrixProduct, tile: MatrixTile): { units: number; write: string } {
  const { m, n, startC } = product;
  const { rows, columns, subgroupRows, subgroupColumns } = tile;
  const shareRows = rows / subgroupRows;
  const shareColumns = columns / subgroupColumns;
  const width = Math.min(64, shareColumns);
  const stride = width / 4 + 1;
  const rowVectors = width / 4;
  const rowsAtOnce = 32 / rowVectors;
  const fragments = width / FRAGMENT;

  const writeRow = (i: number, half: number, x: number) => {
    const row = i * FRAGMENT + x * rowsAtOnce;
    const column = half * rowVectors;
    const conditions = [
      m.value % rows === 0 ? "" : `resultRow + ${row}u < ${m.wgsl}`,
      n.value % columns === 0 ? "" : `resultColumn + ${column}u < resultWidth`,
    ].filter(Boolean);
    const at = `resultAt + ${row}u * resultWidth + ${column}u`;
    const value = `bitcast<vec4f>((*strip)[stripAt + ${x * rowsAtOnce * stride}u])`;
    const write = writesAlone(product) ? `write_${product.result}(${at}, ${value});` : storeResult(product, at, value);
    return conditions.length === 0 ? `  ${write}` : `  if (${conditions.join(" && ")}) { ${write} }`;
  };
  const writeStrip = (i: number, half: number) => `
  workgroupBarrier();
${each(fragments, (j) => `  subgroupMatrixStore<row_major>(strip, ${(j * FRAGMENT) / 4}u, sum${i}_${half * fragments + j}, ${stride}u);`)}
  workgroupBarrier();
${each(FRAGMENT / rowsAtOnce, (x) => writeRow(i, half, x))}`;

  const panels = (rows + columns) / Math.min(shareRows, shareColumns);
  return {
    units: FRAGMENT * stride,
    write: `
  let strip = &panels[subgroup % ${Math.min(panels, subgroupRows * subgroupColumns)}u];
  let stripAt = subgroupLane % 32u / ${rowVectors}u * ${stride}u + subgroupLane % ${rowVectors}u;
  let resultRow = firstRow + shareRow * ${shareRows}u + subgroupLane % 32u / ${rowVectors}u;
  let resultColumn = (firstColumn + shareColumn * ${shareColumns}u) / 4u + subgroupLane % ${rowVectors}u;
  let resultWidth = ${n.wgsl} / 4u;
  let resultAt = (${startC}) / 4u + resultRow * resultWidth + resultColumn;
${each(shareRows / FRAGMENT, (i) => each(shareColumns / width, (half) => writeStrip(i, half)))}`,
  };
}
