// How a tile of an operand gets from memory to the matrix units: read into registers, as f32 or as packed halves; f32 rounded
// to f16 on the way into workgroup memory; and loaded from there as fragments of 16 x 16.
//
// Workgroup memory is an array of panels, each one subgroup's share of a tile, in units of 8 halfs (a vec4u):
//
//   alongSum    memory is contiguous along the sum: a panel has a row of `step` halfs for each of its `panel` rows (or columns)
//   otherwise   a panel has `step` rows of `panel` halfs each
//
// A fragment names its panel by a pointer and its place inside by literals: with robustness on, any other offset or stride
// makes the driver give up its matrix loads. Rows are padded to an odd number of units, so that they start in different banks.

import { each } from "./matmul-parts";
import type { MatrixOperand } from "./matmul-product";
import { matrixLanes, plus } from "./matrix-lanes";
import { FRAGMENT, UNIT } from "./matrix-shape";

/** The place of an operand in a workgroup's work. */
export interface OperandTile {
  /** Prefix of the WGSL names. */
  name: "a" | "b";
  /** Rows (of a) or columns (of b) of the tile, of one panel, and of one subgroup's share. */
  size: number;
  panel: number;
  share: number;
  /** Depth of the tile along the sum. */
  step: number;
  /** WGSL for the first row or column of the tile, and for which share is this subgroup's. */
  origin: string;
  part: string;
  /** Number of the first panel, and panels of all operands in one stage. */
  firstPanel: number;
  stagePanels: number;
  /** Copies of the tile in workgroup memory. */
  stages: 1 | 2;
  /** Invocations of the workgroup. */
  threads: number;
  /** WGSL for the terms of the sum, where it ends inside a step and memory holds something else behind it. */
  end?: string;
}

/** WGSL for the stages of an operand's way. */
export interface StagedOperand {
  /** Units of workgroup memory in one panel. */
  panelUnits: number;
  /** Declarations at the start. */
  declare: string;
  /** Steps that one `load` reads. */
  stepsAtOnce: 1 | 2;
  /** Read the tile number `at`, counted in what a load reads, into registers. */
  load(at: string): string;
  /** The registers, rounded to f16, into the panels of a stage; of two steps read at once those of number `stage`. */
  store(stage: number): string;
  /** Pointers to this subgroup's panels in a stage. */
  pointers(stage: number): string;
  /** Fragment number `index` of this subgroup at depth `k` of the tile. */
  fragment(index: number, k: number): string;
}

export function stageOperand(operand: MatrixOperand, tile: OperandTile): StagedOperand {
  const { alongSum, rowLength, extent, halves } = operand;
  /** Elements of a vector in memory, and vectors of a unit. */
  const [wide, vectors] = halves ? [8, 1] : [4, 2];
  const { name, size, panel, share, step, origin, part, firstPanel, stagePanels, stages, threads, end } = tile;
  const stepsAtOnce = alongSum && stages === 2 ? 2 : 1;
  const depth = step * stepsAtOnce;
  const rowUnits = ((alongSum ? step : panel) / UNIT) | 1;
  // Units of a row, and passes of all invocations over the tile.
  const columns = (alongSum ? depth : size) / UNIT;
  const passes = (columns * (alongSum ? size : depth)) / threads;
  const ragged = extent.value % size !== 0;
  const { rows, line, row, column, ...lanes } = matrixLanes({
    name,
    alongSum,
    columns,
    passes,
    panel,
    threads,
    stepsAtOnce,
    rowUnits,
  });

  const declare = [
    `let ${name}Width = ${rowLength.wgsl} / ${wide}u;`,
    ...Array.from({ length: passes }, (_, i) =>
      halves ? `var ${name}Unit${i} = vec4u();` : `var ${name}Low${i} = vec4f();\n  var ${name}High${i} = vec4f();`,
    ),
    ...lanes.declare,
  ];
  const inside = (index: string, unit: number) =>
    ragged ? `min(${index}, ${extent.wgsl}${unit > 1 ? ` / ${unit}u` : ""} - 1u)` : index;
  const { gather, rowOf } = operand;
  const memoryRow = (index: string) =>
    gather ? `${gather.buffer}[${gather.first} + ${index}]` : rowOf ? `${rowOf}(${index})` : index;
  // Where the length of rows is a literal they lie literals behind one another, and need no registers of their own.
  const literal = rowLength.wgsl === `${rowLength.value}u` && !gather && !rowOf;
  const behind = (i: number) => (lanes.sameColumn ? (i * rows * rowLength.value) / wide : 0);
  let source: (i: number, round: string) => string;
  let next: ((i: number, round: string) => string) | undefined;
  if (alongSum) {
    // Rows are the same in every round: find them once.
    const isBehind = literal && !ragged && lanes.sameColumn;
    const starts = isBehind ? stepsAtOnce : passes;
    for (let i = 0; i < starts; i++) {
      const from = memoryRow(inside(`${origin} + ${isBehind ? line(i) : row(i)}`, 1));
      declare.push(
        `let ${name}From${i} = (${operand.start}) / ${wide}u + (${from}) * ${name}Width + ${times(column(i), vectors)};`,
      );
    }
    source = (i, round) => {
      const from = plus(`${name}From${i % starts}`, isBehind ? behind(i) : 0);
      return `${from} + ${round} * ${depth / wide}u`;
    };
  } else {
    const from = (i: number) => {
      const unit = inside(`${origin} / ${UNIT}u + ${column(i)}`, UNIT);
      return `(${operand.start}) / ${wide}u + ${times(`(${unit})`, vectors)}`;
    };
    const starts = lanes.sameColumn ? 1 : passes;
    for (let i = 0; i < starts; i++) {
      declare.push(`let ${name}From${i} = ${from(i)}${literal ? ` + ${line(i)} * ${name}Width` : ""};`);
    }
    const rowAt = (i: number, round: string) => memoryRow(`${round} * ${step}u + ${row(i)}`);
    if (gather) {
      // Which row of memory it is is itself read from memory: one round ahead, so that no load waits for another.
      for (let i = 0; i < passes; i++) declare.push(`var ${name}Next${i} = ${rowAt(i, "0u")};`);
      next = (i, round) => `      ${name}Next${i} = ${rowAt(i, `(${round} + 1u)`)};`;
    }
    source = (i, round) =>
      literal
        ? `${plus(`${name}From${i % starts}`, behind(i))} + (${round}) * ${(step * rowLength.value) / wide}u`
        : `${name}From${i % starts} + ${gather ? `${name}Next${i}` : `(${rowAt(i, round)})`} * ${name}Width`;
  }
  const registers = halves ? [`${name}Unit`] : [`${name}Low`, `${name}High`];
  const read = (i: number) =>
    registers.map((register, v) => `${register}${i} = ${operand.buffer}[${plus("at", v)}];`).join(" ");
  const clear = (i: number) =>
    registers.map((register) => `${register}${i} = ${halves ? "vec4u()" : "vec4f()"};`).join(" ");
  // Terms past the end are zero in both operands: what lies in memory there may be infinite.
  const isTerm = (i: number, round: string) =>
    alongSum
      ? `${round} * ${depth / UNIT}u + ${column(i)} < (${end}) / ${UNIT}u`
      : `${round} * ${step}u + ${row(i)} < ${end}`;
  const load = (round: string) =>
    each(
      passes,
      (i) => `    {
      let at = ${source(i, round)};
      ${end === undefined ? read(i) : `if (${isTerm(i, round)}) { ${read(i)} } else { ${clear(i)} }`}
${next?.(i, round) ?? ""}
    }`,
    );

  const rounded = (i: number) =>
    halves
      ? `${name}Unit${i}`
      : `vec4u(pack2x16float(${name}Low${i}.xy), pack2x16float(${name}Low${i}.zw), ` +
        `pack2x16float(${name}High${i}.xy), pack2x16float(${name}High${i}.zw))`;
  /** Where pass `i` stores: every index is within bounds by its literals. */
  const place = (i: number, stage: number): [panel: string, at: string] => {
    const inPanel = panel / UNIT;
    const first = stage * stagePanels + firstPanel;
    if (!alongSum)
      return [`${first}u + ${column(i)} / ${inPanel}u`, `(${row(i)}) * ${rowUnits}u + ${column(i)} % ${inPanel}u`];
    if (panel % rows > 0)
      return [`${first}u + (${row(i)}) / ${panel}u`, `(${row(i)}) % ${panel}u * ${rowUnits}u + ${column(i)}`];
    const rowInPanel = plus(`${name}Row`, (i * rows) % panel);
    return [`${first + Math.floor((i * rows) / panel)}u`, `(${rowInPanel}) * ${rowUnits}u + ${column(i)}`];
  };
  const store = (stage: number) =>
    stepsAtOnce === 1
      ? each(passes, (i) => {
          const [at, unit] = place(i, stage);
          return `    panels[${at}][${unit}] = ${rounded(i)};`;
        })
      : each(passes / 2, (pair) => {
          const row = 2 * pair * rows;
          const at = `${stage * stagePanels + firstPanel + Math.floor(row / panel)}u + ${name}PairPanel${stage}`;
          const [first, second] = [rounded(2 * pair + stage), rounded(2 * pair + 1 - stage)];
          return `    panels[${at}][${plus(`${name}PairUnit${stage}`, (row % panel) * rowUnits)}] = select(${first}, ${second}, ${name}Later);`;
        });

  const type = name === "a" ? "Left" : "Right";
  const rowMajor = name === "a" ? alongSum : !alongSum;
  const pointers = (stage: number) =>
    each(share / panel, (p) => {
      const first = stage * stagePanels + firstPanel + p;
      return `    let ${name}Panel${p} = &panels[${first}u + ${part} * ${share / panel}u];`;
    });
  const fragment = (index: number, k: number) => {
    const at = (index * FRAGMENT) % panel;
    const unit = alongSum ? at * rowUnits + k / UNIT : k * rowUnits + at / UNIT;
    const from = `${name}Panel${Math.floor((index * FRAGMENT) / panel)}`;
    return `subgroupMatrixLoad<${type}, ${rowMajor ? "row_major" : "col_major"}>(${from}, ${unit}u, ${rowUnits}u)`;
  };
  return {
    // Neighbouring narrow panels start in different banks.
    panelUnits: (alongSum ? panel : step) * rowUnits + (panel === 32 ? 4 : 0),
    declare: declare.map((line) => `  ${line}`).join("\n"),
    stepsAtOnce,
    load,
    store,
    pointers,
    fragment,
  };
}

const times = (factor: string, count: number) => (count === 1 ? factor : `${factor} * ${count}u`);
