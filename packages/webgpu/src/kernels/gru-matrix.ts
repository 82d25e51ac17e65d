// A GRU cell on matrix units: both products and the gates in one kernel, forward and backward. A workgroup takes 64 rows and
// its four subgroups 32 rows each; operands are rounded to f16 on their way into workgroup memory (panels of rows, one for
// each half of the rows and of the columns), sums and gates are f32.
//
//   forward    32 columns of the state: a subgroup sums r | z | n of x | n of h, 16 columns each, so that all that a new
//              state needs meets in one strip of 16 rows: [x | h] passes by in steps of 32, x first
//   backward   one workgroup for x and one for h: the gates' gradients are made of dnext and what the forward kernel
//              kept, stored for the gradients of the weights, summed for those of the biases, and multiplied
//
// The forward kernel keeps what the backward one multiplies dnext by, rounded as the products of them are:
//   kept [T, 3p] u32:   f16 dr/dnext, dz/dnext, dn/dnext, dn/dnext r   (p / 2 u32 each)   and f32 z   (p u32)

import { type KernelTarget, kernel } from "../kernel";
import { each } from "./matmul-parts";
import { FRAGMENT, STEP, UNIT } from "./matrix-operand";

const sizes = { rows: "u32", width: "u32" } as const;

/** Whether a cell with as many inputs as its state is wide can be computed by the kernels here. */
export function fitsGruUnits(
  { rows, inputs, width }: { rows: number; inputs: number; width: number },
  { matrixUnits, precision }: KernelTarget,
): boolean {
  const fits = inputs === width && (width === 64 || width === 128) && rows % STEP === 0;
  return matrixUnits && precision === "mixed" && fits;
}

/** Both weights [3p, p] rounded to f16 and under one another, two to a u32, and both biases. */
export const gruParameters = kernel({
  name: "gruParameters",
  buffers: {
    inputWeight: "read",
    hiddenWeight: "read",
    inputBias: "read",
    hiddenBias: "read",
    weights: "write u32",
    biases: "write",
  },
  sizes: { width: "u32" },
  shareRepeats: "any size",
  source: ({ width }) => ({
    form: "items",
    items: 3 * width * width,
    wgsl: /* wgsl */ `
fn run(i: u32) {
  let third = 3u * sizes.width;
  let whole = third * sizes.width;
  let at = 2u * i;
  if (at < whole) {
    weights[i] = pack2x16float(vec2f(inputWeight[at], inputWeight[at + 1u]));
  } else {
    weights[i] = pack2x16float(vec2f(hiddenWeight[at - whole], hiddenWeight[at - whole + 1u]));
  }
  if (i < third) {
    biases[i] = inputBias[i];
    biases[third + i] = hiddenBias[i];
  }
}`,
  }),
});

/** Rows of a workgroup and of a subgroup, invocations of a workgroup, units of a panel's row of STEP halfs. */
const [ROWS, SHARE, THREADS, ROW] = [64, 32, 128, STEP / UNIT + 1];

/** Columns of the state that a forward workgroup computes. */
const COLUMNS = 32;

const declarations = (units: number) => `
alias Left = subgroup_matrix_left<f16, ${FRAGMENT}, ${FRAGMENT}>;
alias Right = subgroup_matrix_right<f16, ${FRAGMENT}, ${FRAGMENT}>;
alias Result = subgroup_matrix_result<f32, ${FRAGMENT}, ${FRAGMENT}>;
var<workgroup> panels: array<array<vec4u, ${units}>, 4>;
fn halfs(low: vec4f, high: vec4f) -> vec4u {
  return vec4u(pack2x16float(low.xy), pack2x16float(low.zw), pack2x16float(high.xy), pack2x16float(high.zw));
}`;

/** Which unit of a step's 32 columns an invocation copies, and in which line; as in matrix-operand.ts for different banks. */
const copies = `
  let lane = index % ${THREADS}u;
  let unit = lane % ${STEP / UNIT}u;
  let lineLane = lane / ${STEP / UNIT}u;
  let line = lineLane / 8u * 8u + lineLane % 2u * 4u + lineLane % 8u / 2u;
  let shareRow = subgroup / 2u % 2u;
  let shareColumn = subgroup % 2u;`;

const left = (step: number) =>
  each(
    SHARE / FRAGMENT,
    (i) =>
      `      let left${i} = subgroupMatrixLoad<Left, row_major>(aPanel, ${i * FRAGMENT * ROW + (step * FRAGMENT) / UNIT}u, ${ROW}u);`,
  );

const multiply = (sum: number, right: string) => `      {
        let right = ${right};
${each(SHARE / FRAGMENT, (i) => `        sum${i}_${sum} = subgroupMatrixMultiplyAccumulate(left${i}, right, sum${i}_${sum});`)}
      }`;

/** Store the `count` neighbouring results of 16 rows in the subgroup's strip. */
const storeStrip = (i: number, count: number) => `
  workgroupBarrier();
${each(count, (j) => `  subgroupMatrixStore<row_major>(strip, ${j * 4}u, sum${i}_${j}, ${count * 4 + 1}u);`)}
  workgroupBarrier();`;

const results = (count: number) => each(SHARE / FRAGMENT, (i) => each(count, (j) => `  var sum${i}_${j} = Result();`));

/**
 * next = (1 - z) n + z h, with the gates of gru.ts. Besides `kept` it leaves x and h rounded to f16, two to a u32, for the
 * gradients of the weights.
 */
export const gruCellForward = kernel({
  name: "gruCellForward",
  buffers: {
    x: "read",
    state: "read",
    weights: "read u32",
    biases: "read",
    next: "write",
    kept: "write u32",
    xHalves: "write u32",
    stateHalves: "write u32",
  },
  sizes,
  flops: ({ rows, width }) => 12 * rows * width * width,
  source: ({ rows, width: p }) => {
    const rounds = p / STEP;
    const inside = (row: string) => (rows % ROWS === 0 ? "" : `if (${row} < ${rows}u) `);
    const load = (side: 0 | 1, round: string) => `
${each(
  2,
  (i) => `      low${i} = ${side ? "state" : "x"}[from${i} + ${round} * ${STEP / 4}u];
      high${i} = ${side ? "state" : "x"}[from${i} + ${round} * ${STEP / 4}u + 1u];`,
)}
${each(3, (gate) => `      weight${gate} = weights[weightFrom + ${((3 * side + gate) * p * p) / UNIT}u + ${round} * ${STEP / UNIT}u];`)}`;
    const store = (side: 0 | 1) => `
${each(
  2,
  (i) => `    {
      let rounded = halfs(low${i}, high${i});
      panels[${i}][line * ${ROW}u + unit] = rounded;
      if (firstColumn == 0u) {
        ${inside(`row${i}`)}{ ${side ? "stateHalves" : "xHalves"}[row${i} * ${p / UNIT}u + round * ${STEP / UNIT}u + unit] = rounded; }
      }
    }`,
)}
${each(3, (gate) => `    panels[2u + line / 16u][(${gate * FRAGMENT}u + line % 16u) * ${ROW}u + unit] = weight${gate};`)}`;
    const pass = (side: 0 | 1) => `
  for (var round = 0u; round < ${rounds}u; round++) {
    workgroupBarrier();
${store(side)}
    if (round + 1u < ${rounds}u) {${load(side, "(round + 1u)")}
    }${side === 0 ? ` else {${load(1, "0u")}\n    }` : ""}
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
    const stripRow = 17; // r | z | n of x | n of h as 4 vec4f each, and padding
    const q = p / 4;
    return {
      form: "groups",
      groups: [Math.ceil(rows / ROWS) * (p / COLUMNS), 1, 1],
      workgroup: THREADS,
      matrixUnits: true,
      vectors: {
        x: "vec4f",
        state: "vec4f",
        weights: "vec4u",
        biases: "vec4f",
        next: "vec4f",
        kept: "vec2u",
        xHalves: "vec4u",
        stateHalves: "vec4u",
      },
      wgsl: /* wgsl */ `${declarations(FRAGMENT * stripRow)}
fn sigmoid(x: vec4f) -> vec4f { return 1.0 / (1.0 + exp(-x)); }
fn packed(x: vec4f) -> vec2u { return vec2u(pack2x16float(x.xy), pack2x16float(x.zw)); }
fn gates(row: u32, quad: u32, sumR: vec4f, sumZ: vec4f, inputN: vec4f, hiddenN: vec4f) {
  let h = state[row * ${q}u + quad];
  let r = sigmoid(sumR + biases[quad] + biases[quad + ${3 * q}u]);
  let z = sigmoid(sumZ + biases[quad + ${q}u] + biases[quad + ${4 * q}u]);
  let candidate = hiddenN + biases[quad + ${5 * q}u];
  let n = tanh(clamp(inputN + biases[quad + ${2 * q}u] + r * candidate, vec4f(-15.0), vec4f(15.0)));
  next[row * ${q}u + quad] = n + z * (h - n);
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
  let firstRow = group.x / ${p / COLUMNS}u * ${ROWS}u;
  let firstColumn = group.x % ${p / COLUMNS}u * ${COLUMNS}u;${copies}
${each(
  2,
  (i) => `  let row${i} = firstRow + ${i * SHARE}u + line;
  let from${i} = min(row${i}, ${rows - 1}u) * ${q}u + unit * 2u;
  var low${i} = vec4f();
  var high${i} = vec4f();`,
)}
  let weightFrom = (firstColumn + line) * ${p / UNIT}u + unit;
${each(3, (gate) => `  var weight${gate} = vec4u();`)}
${results(4)}
${load(0, "0u")}
${pass(0)}
${pass(1)}
  let strip = &panels[subgroup % 4u];
  let stripAt = subgroupLane % 32u / 4u * ${stripRow}u + subgroupLane % 4u;
  let stripFirst = firstRow + shareRow * ${SHARE}u + subgroupLane % 32u / 4u;
  let quad = firstColumn / 4u + shareColumn * 4u + subgroupLane % 4u;
${each(
  SHARE / FRAGMENT,
  (i) => `${storeStrip(i, 4)}
${each(2, (half) => {
  const row = `stripFirst + ${i * FRAGMENT + half * 8}u`;
  const sums = [0, 1, 2, 3].map((j) => `bitcast<vec4f>((*strip)[stripAt + ${half * 8 * stripRow + j * 4}u])`);
  return `  ${inside(row)}{ gates(${row}, quad, ${sums.join(", ")}); }`;
})}`,
)}
}`,
    };
  },
});

/**
 * [dr | dz | dn] of the inputs' and of the hidden products, f16, two to a u32 [T, 3p / 2] each; dx = dinput W_i and
 * dstate = dhidden W_h + dnext z; dbias [T / 64, 6p] holds the sums of both over the rows of each workgroup.
 */
export const gruCellBackward = kernel({
  name: "gruCellBackward",
  buffers: {
    kept: "read u32",
    dnext: "read",
    weights: "read u32",
    dx: "write",
    dstate: "write",
    dinput: "write u32",
    dhidden: "write u32",
    dbias: "write",
  },
  sizes,
  flops: ({ rows, width }) => 12 * rows * width * width,
  source: ({ rows, width: p }) => {
    const inside = (row: string) => (rows % ROWS === 0 ? "" : `if (${row} < ${rows}u) `);
    const rowUnits = p / UNIT;
    const shareColumns = p / 2;
    const panelRow = (shareColumns / UNIT) | 1;
    const across = shareColumns / FRAGMENT;
    const stripRow = shareColumns / 4 + 1;
    const lines = THREADS / rowUnits;
    const passes = STEP / lines;
    const load = (gate: number, block: string) => `
${
  gate > 0
    ? ""
    : each(
        2,
        (i) => `      low${i} = dnext[from${i} + ${block} * ${STEP / 4}u];
      high${i} = dnext[from${i} + ${block} * ${STEP / 4}u + 1u];`,
      )
}
${each(2, (i) => `      factor${i} = kept[keptFrom${i} + ${gate < 2 ? `${gate * rowUnits}u` : `(2u + side) * ${rowUnits}u`} + ${block} * ${STEP / UNIT}u];`)}
${each(passes, (i) => `      weight${i} = weights[weightFrom + (${gate * p + i * lines}u + ${block} * ${STEP}u) * ${rowUnits}u];`)}`;
    const store = (gate: number) => `
${each(
  2,
  (i) => `    {
      let low = low${i} * vec4f(unpack2x16float(factor${i}.x), unpack2x16float(factor${i}.y));
      let high = high${i} * vec4f(unpack2x16float(factor${i}.z), unpack2x16float(factor${i}.w));
      ${rows % ROWS === 0 ? "let rounded = halfs(low, high);" : `let rounded = select(vec4u(), halfs(low, high), row${i} < ${rows}u);`}
      panels[${i}][line * ${ROW}u + unit] = rounded;
      let at = row${i} * ${3 * rowUnits}u + ${gate * rowUnits}u + block * ${STEP / UNIT}u + unit;
      ${inside(`row${i}`)}{
        if (side == 0u) { dinput[at] = rounded; } else { dhidden[at] = rounded; }
      }
    }`,
)}
${each(passes, (i) => `    panels[2u + lane % ${rowUnits}u / ${rowUnits / 2}u][(lane / ${rowUnits}u + ${i * lines}u) * ${panelRow}u + lane % ${rowUnits / 2}u] = weight${i};`)}`;
    const pass = (gate: number) => `
    workgroupBarrier();
${store(gate)}
    ${gate < 2 ? `{${load(gate + 1, "block")}\n    }` : `if (block + 1u < ${p / STEP}u) {${load(0, "(block + 1u)")}\n    }`}
    workgroupBarrier();
    {
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
    const write = (i: number, x: number) => {
      const row = `resultRow + ${i * FRAGMENT + x * rowsAtOnce}u`;
      return `  ${inside(row)}{
    let row = ${row};
    let sum = bitcast<vec4f>((*strip)[stripAt + ${x * rowsAtOnce * stripRow}u]);
    let at = row * ${q}u + resultColumn;
    if (side == 0u) { dx[at] = sum; } else {
      dstate[at] = sum + dnext[at] * bitcast<vec4f>(kept[row * ${3 * q}u + ${4 * rowUnits}u + resultColumn]);
    }
  }`;
    };
    return {
      form: "groups",
      groups: [Math.ceil(rows / ROWS), 1, 2],
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
      wgsl: /* wgsl */ `${declarations(Math.max(SHARE * ROW, STEP * panelRow, FRAGMENT * stripRow))}
var<workgroup> columnSums: array<array<vec2f, ${(3 * p) / 2}>, 8>;
fn run(group: vec3u, index: u32, subgroup: u32, subgroupLane: u32) {
  let side = group.z;
  let firstRow = group.x * ${ROWS}u;${copies}
  let pair = lane % ${STEP / 2}u;
  let part = lane / ${STEP / 2}u;
${each(
  2,
  (i) => `  let row${i} = firstRow + ${i * SHARE}u + line;
  let from${i} = min(row${i}, ${rows - 1}u) * ${q}u + unit * 2u;
  let keptFrom${i} = min(row${i}, ${rows - 1}u) * ${3 * q}u + unit;
  var low${i} = vec4f();
  var high${i} = vec4f();
  var factor${i} = vec4u();`,
)}
  let weightFrom = (side * ${3 * p}u + lane / ${rowUnits}u) * ${rowUnits}u + lane % ${rowUnits}u;
${each(passes, (i) => `  var weight${i} = vec4u();`)}
  let aPanel = &panels[shareRow];
  let bPanel = &panels[2u + shareColumn];
${results(across)}
${load(0, "0u")}
  for (var block = 0u; block < ${p / STEP}u; block++) {
${each(3, pass)}
  }
  let strip = &panels[subgroup % 4u];
  let stripAt = subgroupLane % 32u / ${stripColumns}u * ${stripRow}u + subgroupLane % ${stripColumns}u;
  let resultRow = firstRow + shareRow * ${SHARE}u + subgroupLane % 32u / ${stripColumns}u;
  let resultColumn = shareColumn * ${stripColumns}u + subgroupLane % ${stripColumns}u;
${each(SHARE / FRAGMENT, (i) => `${storeStrip(i, across)}\n${each(FRAGMENT / rowsAtOnce, (x) => write(i, x))}`)}
  for (var column = lane; column < ${(3 * p) / 2}u; column += ${THREADS}u) {
    var total = vec2f();
    for (var i = 0u; i < 8u; i++) { total += columnSums[i][column]; }
    dbias[group.x * ${3 * p}u + side * ${(3 * p) / 2}u + column] = total;
  }
}`,
    };
  },
});
