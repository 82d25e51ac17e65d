import type { KernelSource } from "../kernel";
import {
  ACROSS,
  type CellSizes,
  copies,
  declarations,
  left,
  multiply,
  ownStrip,
  ROW,
  results,
  SHARE,
  storeStrip,
  THREADS,
} from "./gru-matrix-tiles";
import { each } from "./matmul-parts";
import { CELL_ROWS, FRAGMENT, STEP, UNIT } from "./matrix-shape";

/** Invocations that sum columns, eight rows each. */
const SUMMERS = (CELL_ROWS / 8) * (STEP / 2);

/** The shader of `gruCellBackward` (gru-cell.ts). */
export function backward({ rows, width: p }: CellSizes): KernelSource {
  const rowUnits = p / UNIT;
  const shareColumns = p / ACROSS;
  const shareUnits = shareColumns / UNIT;
  const panelRow = shareUnits | 1;
  const across = shareColumns / FRAGMENT;
  const stripRow = shareColumns / 4 + 1;
  const lines = THREADS / rowUnits;
  const passes = STEP / lines;
  const load = (gate: number, block: string) => `
${
  gate > 0
    ? ""
    : `      low = dnext[wideFrom + ${block} * ${STEP / 4}u];
      high = dnext[wideFrom + ${block} * ${STEP / 4}u + 1u];`
}
      factor = kept[keptFrom + ${block} * ${STEP / UNIT}u + ${gate < 2 ? `${gate * rowUnits}u` : `(2u + side) * ${rowUnits}u`}];
${each(passes, (i) => `      weight${i} = weights[weightFrom + (${gate * p + i * lines}u + ${block} * ${STEP}u) * ${rowUnits}u];`)}`;
  // Gradients of gates are stored after the second barrier, which would wait for stores before it.
  const pass = (gate: number) => `
    workgroupBarrier();
    let rounded${gate} = halfs(
      low * vec4f(unpack2x16float(factor.x), unpack2x16float(factor.y)),
      high * vec4f(unpack2x16float(factor.z), unpack2x16float(factor.w)),
    );
    panels[rowPanel][rowUnit] = rounded${gate};
${each(passes, (i) => `    panels[2u + lane % ${rowUnits}u / ${shareUnits}u][(lane / ${rowUnits}u + ${i * lines}u) * ${panelRow}u + lane % ${shareUnits}u] = weight${i};`)}
    ${gate < 2 ? `{${load(gate + 1, "block")}\n    }` : `if (block + 1u < ${p / STEP}u) {${load(0, "(block + 1u)")}\n    }`}
    workgroupBarrier();
    {
      let at = (firstRow + line) * ${3 * rowUnits}u + block * ${STEP / UNIT}u + unit + ${gate * rowUnits}u;
      if (side == 0u) { dinput[at] = rounded${gate}; } else { dhidden[at] = rounded${gate}; }
    }
    if (lane < ${SUMMERS}u) {
      var total = vec2f();
      for (var r = 0u; r < 8u; r++) {
        total += unpack2x16float(panels[part / 4u][(part % 4u * 8u + r) * ${ROW}u + pair / 4u][pair % 4u]);
      }
      columnSums[part][${(gate * p) / 2}u + block * ${STEP / 2}u + pair] = total;
    }
${each(
  STEP / FRAGMENT,
  (step) => `    {
${left(step)}
${each(across, (j) =>
  multiply(
    j,
    `subgroupMatrixLoad<Right, row_major>(bPanel, ${step * FRAGMENT * panelRow + (j * FRAGMENT) / UNIT}u, ${panelRow}u)`,
  ),
)}
    }`,
)}`;
  const q = p / 4;
  const stripColumns = shareColumns / 4;
  const rowsAtOnce = 32 / stripColumns;
  const atOnce = FRAGMENT / rowsAtOnce;
  const at = (i: number, x: number, width: number) => `${(i * FRAGMENT + x * rowsAtOnce) * width}u`;
  const read = (i: number, x: number) =>
    `    through${i}_${x} = dnext[resultAt + ${at(i, x, q)}] * bitcast<vec4f>(kept[updateAt + ${at(i, x, 3 * q)}]);`;
  const sum = (i: number, x: number) =>
    `  let result${i}_${x} = bitcast<vec4f>((*strip)[stripAt + ${x * rowsAtOnce * stripRow}u]);`;
  const write = (i: number, x: number) => `  {
    let at = resultAt + ${at(i, x, q)};
    if (side == 0u) { write_dx(at, result${i}_${x}); } else { dstate[at] = result${i}_${x} + through${i}_${x}; }
  }`;
  const eachStrip = (write: (i: number, x: number) => string) =>
    each(SHARE / FRAGMENT, (i) => each(atOnce, (x) => write(i, x)));
  return {
    form: "groups",
    groups: [rows / CELL_ROWS, 1, 2],
    workgroup: THREADS,
    matrixUnits: true,
    vectors: {
      kept: "vec4u",
      dnext: "vec4f",
      weights: "vec4u",
      dx: "vec4f",
      dstate: "vec4f",
      dinput: "vec4u",
      dhidden: "vec4u",
      dbias: "vec2f",
    },
    results: ["dx"],
    wgsl: /* wgsl */ `${declarations(Math.max(SHARE * ROW, STEP * panelRow, FRAGMENT * stripRow))}
var<workgroup> columnSums: array<array<vec2f, ${(3 * p) / 2}>, 8>;
fn run(group: vec3u, index: u32, subgroup: u32, subgroupLane: u32) {
  let side = group.z;
  let firstRow = group.x * ${CELL_ROWS}u;${copies}
  let pair = lane % ${STEP / 2}u;
  let part = lane / ${STEP / 2}u;
  let wideFrom = (firstRow + line) * ${q}u + unit * 2u;
  let keptFrom = (firstRow + line) * ${3 * q}u + unit;
  var low = vec4f();
  var high = vec4f();
  var factor = vec4u();
  let weightFrom = (side * ${3 * p}u + lane / ${rowUnits}u) * ${rowUnits}u + lane % ${rowUnits}u;
${each(passes, (i) => `  var weight${i} = vec4u();`)}
  let aPanel = &panels[shareRow];
  let bPanel = &panels[2u + shareColumn];
${results(across)}
${load(0, "0u")}
  for (var block = 0u; block < ${p / STEP}u; block++) {
${each(3, pass)}
  }
${ownStrip}
  let stripAt = subgroupLane % 32u / ${stripColumns}u * ${stripRow}u + subgroupLane % ${stripColumns}u;
  let resultRow = firstRow + shareRow * ${SHARE}u + subgroupLane % 32u / ${stripColumns}u;
  let resultColumn = shareColumn * ${stripColumns}u + subgroupLane % ${stripColumns}u;
  let resultAt = resultRow * ${q}u + resultColumn;
  let updateAt = resultRow * ${3 * q}u + ${2 * q}u + resultColumn;
${eachStrip((i, x) => `  var through${i}_${x} = vec4f();`)}
  if (side == 1u) {
${eachStrip(read)}
  }
${each(SHARE / FRAGMENT, (i) => `${storeStrip(i, 0, across)}\n${each(atOnce, (x) => sum(i, x))}`)}
${eachStrip(write)}
  if (lane < ${(3 * p) / 2}u) {
    var total = vec2f();
    for (var i = 0u; i < 8u; i++) { total += columnSums[i][lane]; }
    dbias[group.x * ${3 * p}u + side * ${(3 * p) / 2}u + lane] = total;
  }
}`,
  };
}
