// Which row of an operand's tile an invocation copies in a pass, and which of the row's units (8 halfs). Neighbours copy
// neighbouring units; a pass takes whole rows where they divide the workgroup.
//
// With two stages of panels a step is 16 deep. Of an operand along the sum that would be 32 bytes of a row, too little for a read:
// registers take two steps of it at once, and each step stores its half. Half of the lanes hold the first step's units in passes
// 0, 2, .. and the others, which read other rows, in passes 1, 3, .. so that all of them store in every step.

/** What is copied, by how many invocations. */
export interface CopiedTile {
  /** Prefix of the WGSL names. */
  name: string;
  alongSum: boolean;
  /** Units of a row, and passes over the tile. */
  columns: number;
  passes: number;
  threads: number;
  stepsAtOnce: 1 | 2;
  /** Rows or columns of a panel, and units from one of its rows to the next. */
  panel: number;
  rowUnits: number;
}

/** WGSL for an invocation's share of the passes. */
export interface MatrixLanes {
  declare: string[];
  /** Rows of a pass. */
  rows: number;
  /** The row of pass `i` counted from the pass's first, and from the tile's. */
  line(i: number): string;
  row(i: number): string;
  /** The unit of the row, and whether it is the same in all passes. */
  column(i: number): string;
  sameColumn: boolean;
}

export function matrixLanes(tile: CopiedTile): MatrixLanes {
  const { name, alongSum, columns, passes, threads, stepsAtOnce } = tile;
  const rows = threads / columns;
  if (threads % columns > 0) {
    const declare = Array.from({ length: passes }, (_, i) => {
      const unit = `(${plus(`lane % ${threads}u`, i * threads)})`;
      return `let ${name}Row${i} = ${unit} / ${columns}u;\n  let ${name}Column${i} = ${unit} % ${columns}u;`;
    });
    const row = (i: number) => `${name}Row${i}`;
    return { declare, rows, line: row, row, column: (i) => `${name}Column${i}`, sameColumn: false };
  }
  const turned = (i: number) => (stepsAtOnce === 2 && i % 2 === 1 ? "Turned" : "");
  const line = (i: number) => `${name}${turned(i)}Row`;
  return {
    declare: [
      `let ${name}Column = lane % ${columns}u;`,
      `let ${name}Lane = lane % ${threads}u / ${columns}u;`,
      // Eight neighbouring invocations copy two rows of four units: rows r and r + 4 lie in different banks.
      alongSum && rows % 8 === 0
        ? `let ${name}Row = ${name}Lane / 8u * 8u + ${name}Lane % 2u * 4u + ${name}Lane % 8u / 2u;`
        : `let ${name}Row = ${name}Lane;`,
      ...(stepsAtOnce === 1 ? [] : turnedPasses(tile, rows)),
    ],
    rows,
    line,
    row: (i) => plus(line(i), i * rows),
    column: (i) => `${name}${turned(i)}Column`,
    sameColumn: true,
  };
}

/**
 * Declarations for reading two steps of 16 at once: in every other pass lanes read another row (two further on, so that stores of
 * a step meet in no bank) and the other step's units. `Later` lanes begin with the second step. A pair of passes is stored in
 * two steps, in units that start at `PairUnit` of a panel.
 */
function turnedPasses({ name, panel, rowUnits }: CopiedTile, rows: number): string[] {
  const places = (stage: number) => {
    const [row, turned] = [`${name}Row`, `${name}TurnedRow + ${rows}u`];
    const [first, second] = stage === 0 ? [row, turned] : [turned, row];
    return [
      `let ${name}Pair${stage} = select(${first}, ${second}, ${name}Later) % ${2 * rows}u;`,
      `let ${name}PairPanel${stage} = ${name}Pair${stage} / ${panel}u;`,
      `let ${name}PairUnit${stage} = ${name}Pair${stage} % ${panel}u * ${rowUnits}u + ${name}Column % 2u;`,
    ];
  };
  return [
    `let ${name}TurnedRow = ${name}Row / 8u * 8u + (${name}Row + 2u) % 8u;`,
    `let ${name}TurnedColumn = (${name}Column + 2u) % 4u;`,
    `let ${name}Later = ${name}Column >= 2u;`,
    ...places(0),
    ...places(1),
  ];
}

/** WGSL for a sum with a literal. */
export function plus(start: string, offset: number): string {
  return offset === 0 ? start : `${start} + ${offset}u`;
}
