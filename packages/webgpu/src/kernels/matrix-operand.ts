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
  /** Number of the first panel. */
  firstPanel: number;
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
  /** Read the tile of round `round` into registers. */
  load(round: string): string;
  /** The registers, rounded to f16, into the panels. */
  store: string;
  /** Pointers to this subgroup's panels. */
  pointers: string;
  /** Fragment number `index` of this subgroup at depth `k` of the tile. */
  fragment(index: number, k: number): string;
}

export function stageOperand(operand: MatrixOperand, tile: OperandTile): StagedOperand {
  const { alongSum, rowLength, extent, halves } = operand;
  /** Elements of a vector in memory, and vectors of a unit. */
  const [wide, vectors] = halves ? [8, 1] : [4, 2];
  const { name, size, panel, share, step, origin, part, firstPanel, threads, end } = tile;
  const rowUnits = ((alongSum ? step : panel) / UNIT) | 1;
  // Neighbouring invocations copy neighbouring units of a row; all of them together `rows` rows a pass.
  const columns = (alongSum ? step : size) / UNIT;
  const rows = threads / columns;
  const passes = (alongSum ? size : step) / rows;
  const ragged = extent.value % size !== 0;

  const declare = [
    `let ${name}Width = ${rowLength.wgsl} / ${wide}u;`,
    `let ${name}Column = lane % ${columns}u;`,
    `let ${name}Lane = lane % ${threads}u / ${columns}u;`,
    // Eight neighbouring invocations copy two rows of four units: rows r and r + 4 lie in different banks.
    alongSum && rows % 8 === 0
      ? `let ${name}Row = ${name}Lane / 8u * 8u + ${name}Lane % 2u * 4u + ${name}Lane % 8u / 2u;`
      : `let ${name}Row = ${name}Lane;`,
    ...Array.from({ length: passes }, (_, i) =>
      halves ? `var ${name}Unit${i} = vec4u();` : `var ${name}Low${i} = vec4f();\n  var ${name}High${i} = vec4f();`,
    ),
  ];
  const inside = (index: string, unit: number) =>
    ragged ? `min(${index}, ${extent.wgsl}${unit > 1 ? ` / ${unit}u` : ""} - 1u)` : index;
  const { gather } = operand;
  const memoryRow = (row: string) => (gather ? `${gather.buffer}[${gather.first} + ${row}]` : row);
  let source: (i: number, round: string) => string;
  let next: ((i: number, round: string) => string) | undefined;
  if (alongSum) {
    // Rows are the same in every round: find them once.
    for (let i = 0; i < passes; i++) {
      const row = memoryRow(inside(`${origin} + ${name}Row + ${i * rows}u`, 1));
      declare.push(
        `let ${name}From${i} = (${operand.start}) / ${wide}u + (${row}) * ${name}Width + ${name}Column * ${vectors}u;`,
      );
    }
    source = (i, round) => `${name}From${i} + ${round} * ${step / wide}u`;
  } else {
    const column = inside(`${origin} / ${UNIT}u + ${name}Column`, UNIT);
    declare.push(`let ${name}From = (${operand.start}) / ${wide}u + (${column}) * ${vectors}u;`);
    const row = (i: number, round: string) => memoryRow(`${round} * ${step}u + ${name}Row + ${i * rows}u`);
    if (gather) {
      // Which row of memory it is is itself read from memory: one round ahead, so that no load waits for another.
      for (let i = 0; i < passes; i++) declare.push(`var ${name}Next${i} = ${row(i, "0u")};`);
      next = (i, round) => `      ${name}Next${i} = ${row(i, `(${round} + 1u)`)};`;
    }
    source = (i, round) => `${name}From + ${gather ? `${name}Next${i}` : `(${row(i, round)})`} * ${name}Width`;
  }
  const registers = halves ? [`${name}Unit`] : [`${name}Low`, `${name}High`];
  const read = (i: number) =>
    registers.map((register, v) => `${register}${i} = ${operand.buffer}[at + ${v}u];`).join(" ");
  const clear = (i: number) =>
    registers.map((register) => `${register}${i} = ${halves ? "vec4u()" : "vec4f()"};`).join(" ");
  // Terms past the end are zero in both operands: what lies in memory there may be infinite.
  const isTerm = (i: number, round: string) =>
    alongSum
      ? `${round} * ${step / UNIT}u + ${name}Column < (${end}) / ${UNIT}u`
      : `${round} * ${step}u + ${name}Row + ${i * rows}u < ${end}`;
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
  // No pass is longer than a panel, so that every index is within bounds by its literals.
  const place = (i: number): [panel: string, at: string] => {
    const inPanel = panel / UNIT;
    return alongSum
      ? [
          `${firstPanel + Math.floor((i * rows) / panel)}u`,
          `(${name}Row + ${(i * rows) % panel}u) * ${rowUnits}u + ${name}Column`,
        ]
      : [
          `${firstPanel}u + ${name}Column / ${inPanel}u`,
          `(${name}Row + ${i * rows}u) * ${rowUnits}u + ${name}Column % ${inPanel}u`,
        ];
  };
  const store = each(passes, (i) => {
    const [at, unit] = place(i);
    return `    panels[${at}][${unit}] = ${rounded(i)};`;
  });

  const type = name === "a" ? "Left" : "Right";
  const rowMajor = name === "a" ? alongSum : !alongSum;
  const pointers = each(
    share / panel,
    (p) => `    let ${name}Panel${p} = &panels[${firstPanel + p}u + ${part} * ${share / panel}u];`,
  );
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
    load,
    store,
    pointers,
    fragment,
  };
}
