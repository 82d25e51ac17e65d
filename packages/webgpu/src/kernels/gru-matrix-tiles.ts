// The pieces that gru-matrix-forward.ts and gru-matrix-backward.ts are put together from; the picture is in gru-cell.ts.

import { each } from "./matmul-parts";
import { fragmentTypes, halfs } from "./matrix-fragments";
import { FRAGMENT, STEP, UNIT } from "./matrix-shape";

/** Rows of x and of the state, a multiple of CELL_ROWS, and the width of both. */
export interface CellSizes {
  rows: number;
  width: number;
}

/** Rows of a subgroup's share. */
export const SHARE = 32;

/** Subgroups of a workgroup side by side; below each is another one. */
export const ACROSS = 4;

const SUBGROUPS = 2 * ACROSS;

/** Invocations of a workgroup. */
export const THREADS = 32 * SUBGROUPS;

/** Units of a panel's row of STEP halfs: an odd number, so that rows start in different banks. */
export const ROW = STEP / UNIT + 1;

/** Types of fragments, panels of so many units (two of rows, then ACROSS of columns; all as strips of results), and `halfs`. */
export const declarations = (units: number) => `
${fragmentTypes}
var<workgroup> panels: array<array<vec4u, ${units}>, ${SUBGROUPS}>;
${halfs}`;

/** Which unit of a step's 32 columns an invocation copies, and in which of 64 lines; as in matrix-operand.ts for different banks. */
export const copies = `
  let lane = index % ${THREADS}u;
  let unit = lane % ${STEP / UNIT}u;
  let lineLane = lane / ${STEP / UNIT}u;
  let line = lineLane / 8u * 8u + lineLane % 2u * 4u + lineLane % 8u / 2u;
  let rowPanel = line / ${SHARE}u;
  let rowUnit = line % ${SHARE}u * ${ROW}u + unit;
  let shareRow = subgroup / ${ACROSS}u % 2u;
  let shareColumn = subgroup % ${ACROSS}u;`;

/** The fragments of the subgroup's rows at a depth of `step` fragments: left0, left1. */
export const left = (step: number) =>
  each(
    SHARE / FRAGMENT,
    (i) =>
      `      let left${i} = subgroupMatrixLoad<Left, row_major>(aPanel, ${i * FRAGMENT * ROW + (step * FRAGMENT) / UNIT}u, ${ROW}u);`,
  );

/** The sums number `sum` of the subgroup's rows grow by left0 and left1 times `right`. */
export const multiply = (sum: number, right: string) => `      {
        let right = ${right};
${each(SHARE / FRAGMENT, (i) => `        sum${i}_${sum} = subgroupMatrixMultiplyAccumulate(left${i}, right, sum${i}_${sum});`)}
      }`;

/** The strip of results of a subgroup. */
export const ownStrip = `  let strip = &panels[subgroup % ${SUBGROUPS}u];`;

/** Store `count` neighbouring results of 16 rows, from number `first` on, in the subgroup's strip. */
export const storeStrip = (i: number, first: number, count: number) => `
  workgroupBarrier();
${each(count, (j) => `  subgroupMatrixStore<row_major>(strip, ${j * 4}u, sum${i}_${first + j}, ${count * 4 + 1}u);`)}
  workgroupBarrier();`;

/** Sums of the subgroup's rows, `count` neighbouring fragments each. */
export const results = (count: number) =>
  each(SHARE / FRAGMENT, (i) => each(count, (j) => `  var sum${i}_${j} = Result();`));
