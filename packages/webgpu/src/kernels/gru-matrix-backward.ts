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

/** Sums over the eight lines of a subgroup: an exchange leaves a lane half of its unit's columns, the last one column. */
const sumOfLines = `
fn sumOfLines(unit: vec4u, subgroupLane: u32) -> f32 {
  let low = vec4f(unpack2x16float(unit.x), unpack2x16float(unit.y));
  let high = vec4f(unpack2x16float(unit.z), unpack2x16float(unit.w));
  let keeps = (vec3u(subgroupLane) & vec3u(16u, 8u, 4u)) != vec3u();
  let four = select(low, high, keeps.x) + subgroupShuffleXor(select(high, low, keeps.x), 16u);
  let two = select(four.xy, four.zw, keeps.y) + subgroupShuffleXor(select(four.zw, four.xy, keeps.y), 8u);
  return select(two.x, two.y, keeps.z) + subgroupShuffleXor(select(two.y, two.x, keeps.z), 4u);
}`;

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
    columnSums[subgroup % ${2 * ACROSS}u][${gate * p}u + block * ${STEP}u + sumColumn] = sumOfLines(rounded${gate}, subgroupLane);
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
var<workgroup> columnSums: array<array<f32, ${3 * p}>, ${2 * ACROSS}>;
${sumOfLines}
fn run(group: vec3u, index: u32, subgroup: u32, subgroupLane: u32) {
  let side = group.z;
  let firstRow = group.x * ${CELL_ROWS}u;${copies}
  let sumColumn = unit * ${UNIT}u + subgroupLane % 32u / 4u;
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
    for (var i = 0u; i < ${2 * ACROSS}u; i++) { total += vec2f(columnSums[i][2u * lane], columnSums[i][2u * lane + 1u]); }
    dbias[group.x * ${3 * p}u + side * ${(3 * p) / 2}u + lane] = total;
  }
}`,
  };
}
