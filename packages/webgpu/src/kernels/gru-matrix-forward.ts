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

/** Columns of the state that a workgroup computes. */
const COLUMNS = ACROSS * FRAGMENT;

/** The shader of `gruCellForward` (gru-cell.ts). */
export function forward({ rows, width: p }: CellSizes): KernelSource {
  const rounds = p / STEP;
  const load = (side: 0 | 1, round: string) => `
${
  side === 0
    ? `      unitOfX = xHalves[unitFrom + ${round} * ${STEP / UNIT}u];`
    : `      low = state[stateFrom + ${round} * ${STEP / 4}u];
      high = state[stateFrom + ${round} * ${STEP / 4}u + 1u];`
}
${each(3, (gate) => `      weight${gate} = weights[weightFrom + ${((3 * side + gate) * p * p) / UNIT}u + ${round} * ${STEP / UNIT}u];`)}`;
  const store = (side: 0 | 1) => `
${side === 0 ? "    panels[rowPanel][rowUnit] = unitOfX;" : "    panels[rowPanel][rowUnit] = halfs(low, high);"}
${each(3, (gate) => `    panels[2u + line / 16u][(${gate * FRAGMENT}u + line % 16u) * ${ROW}u + unit] = weight${gate};`)}`;
  const pass = (side: 0 | 1) => `
  for (var round = 0u; round < ${rounds}u; round++) {${side === 1 ? "\n    if (isFirst() == 1u) { break; }" : ""}
    workgroupBarrier();
${store(side)}
    if (round + 1u < ${rounds}u) {${load(side, "(round + 1u)")}
    }${side === 0 ? ` else if (isFirst() == 0u) {${load(1, "0u")}\n    }` : ""}
    workgroupBarrier();
    let aPanel = &panels[shareRow];
    let bPanel = &panels[2u + shareColumn];
${each(
  STEP / FRAGMENT,
  (step) => `    {
${left(step)}
${each(3, (gate) =>
  multiply(
    gate === 2 ? 2 + side : gate,
    `subgroupMatrixLoad<Right, col_major>(bPanel, ${gate * FRAGMENT * ROW + (step * FRAGMENT) / UNIT}u, ${ROW}u)`,
  ),
)}
    }`,
)}
  }`;
  const stripRow = 9; // r | z, or n of x | n of h, as 4 vec4f each, and padding
  const inStrip = (half: number, sum: number) =>
    `bitcast<vec4f>((*strip)[stripAt + ${half * 8 * stripRow + sum * 4}u])`;
  const q = p / 4;
  return {
    form: "groups",
    groups: [(rows / CELL_ROWS) * (p / COLUMNS), 1, 1],
    workgroup: THREADS,
    matrixUnits: true,
    vectors: {
      xHalves: "vec4u",
      state: "vec4f",
      weights: "vec4u",
      biases: "vec4f",
      next: "vec4f",
      kept: "vec2u",
      nextHalves: "vec2u",
    },
    wgsl: /* wgsl */ `${declarations(3 * FRAGMENT * ROW)}
fn sigmoid(x: vec4f) -> vec4f { return 1.0 / (1.0 + exp(-x)); }
fn packed(x: vec4f) -> vec2u { return vec2u(pack2x16float(x.xy), pack2x16float(x.zw)); }
fn gates(row: u32, quad: u32, sumR: vec4f, sumZ: vec4f, inputN: vec4f, hiddenN: vec4f) {
  var h = vec4f();
  if (isFirst() == 0u) { h = state[row * ${q}u + quad]; }
  let r = sigmoid(sumR + biases[quad] + biases[quad + ${3 * q}u]);
  let z = sigmoid(sumZ + biases[quad + ${q}u] + biases[quad + ${4 * q}u]);
  let candidate = hiddenN + biases[quad + ${5 * q}u];
  let n = tanh(clamp(inputN + biases[quad + ${2 * q}u] + r * candidate, vec4f(-15.0), vec4f(15.0)));
  let value = n + z * (h - n);
  next[row * ${q}u + quad] = value;
  nextHalves[row * ${q}u + quad] = packed(value);
  let dn = (1.0 - z) * (1.0 - n * n);
  let at = row * ${6 * q}u + quad;
  kept[at] = packed(dn * candidate * r * (1.0 - r));
  kept[at + ${q}u] = packed((h - n) * z * (1.0 - z));
  kept[at + ${2 * q}u] = packed(dn);
  kept[at + ${3 * q}u] = packed(dn * r);
  let update = bitcast<vec4u>(z);
  kept[row * ${6 * q}u + ${4 * q}u + quad * 2u] = update.xy;
  kept[row * ${6 * q}u + ${4 * q}u + quad * 2u + 1u] = update.zw;
}
fn run(group: vec3u, index: u32, subgroup: u32, subgroupLane: u32) {
  let firstRow = group.x / ${p / COLUMNS}u * ${CELL_ROWS}u;
  let firstColumn = group.x % ${p / COLUMNS}u * ${COLUMNS}u;${copies}
  let unitFrom = (firstRow + line) * ${p / UNIT}u + unit;
  let stateFrom = unitFrom * 2u;
  var unitOfX = vec4u();
  var low = vec4f();
  var high = vec4f();
  let weightFrom = (firstColumn + line) * ${p / UNIT}u + unit;
${each(3, (gate) => `  var weight${gate} = vec4u();`)}
${results(4)}
${load(0, "0u")}
${pass(0)}
${pass(1)}
${ownStrip}
  let stripAt = subgroupLane % 32u / 4u * ${stripRow}u + subgroupLane % 4u;
  let stripFirst = firstRow + shareRow * ${SHARE}u + subgroupLane % 32u / 4u;
  let quad = firstColumn / 4u + shareColumn * 4u + subgroupLane % 4u;
${each(
  SHARE / FRAGMENT,
  (i) => `${storeStrip(i, 0, 2)}
${each(2, (half) => each(2, (sum) => `  let gate${i}_${half}_${sum} = ${inStrip(half, sum)};`))}
${storeStrip(i, 2, 2)}
${each(2, (half) => {
  const sums = [`gate${i}_${half}_0`, `gate${i}_${half}_1`, inStrip(half, 0), inStrip(half, 1)];
  return `  gates(stripFirst + ${i * FRAGMENT + half * 8}u, quad, ${sums.join(", ")});`;
})}`,
)}
}`,
  };
}
