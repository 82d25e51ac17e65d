// The two ways of a product on matrix units along its sum. In both, what memory holds of the next tile is on its way into
// registers during the multiplications.
//
//   one stage    barrier, store the tile, barrier, read fragments and multiply by them: the other workgroups of a multiprocessor
//                multiply while this one waits
//   two stages   store the next tile, barrier, read its fragments, multiply by those of this tile: one barrier a step, and no
//                multiplication waits for a fragment. Takes registers for two steps' fragments

import { each } from "./matmul-parts";
import type { StagedOperand } from "./matrix-operand";
import { FRAGMENT, type MatrixTile } from "./matrix-shape";

/** A literal that no number of rounds reaches. */
const MOST_ROUNDS = 2 ** 27;

/** What is multiplied, and how often. */
export interface MatrixRounds {
  a: StagedOperand;
  b: StagedOperand;
  tile: MatrixTile;
  /** Fragments of a subgroup's share: sums are named `sum{down}_{across}`. */
  down: number;
  across: number;
  /** The number of rounds where it is known before the kernel runs; otherwise the kernel has a `rounds`. */
  known?: number;
}

/** Steps along the sum that a round takes. */
export function stepsOfRound({ stages }: MatrixTile): number {
  return stages;
}

/** WGSL that sums the products of all rounds. */
export function matrixRounds(given: MatrixRounds): string {
  return given.tile.stages === 1 ? oneStage(given) : twoStages(given);
}

/** A loop to a literal that breaks out: only such a loop is known to end, others get a counter of 64 bits. */
function loop(known: number | undefined, done: string, body: string): string {
  return `  for (var round = 0u; round < ${known ?? MOST_ROUNDS}u; round++) {
    ${known === undefined ? `if (${done}) { break; }` : ""}
${body}
  }`;
}

function oneStage({ a, b, tile, down, across, known }: MatrixRounds): string {
  const multiply = each(
    tile.step / FRAGMENT,
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
  const load = (round: string) => `${a.load(round)}\n${b.load(round)}`;
  return `
${known === undefined ? `  if (rounds > 0u) {\n${load("0u")}\n  }` : load("0u")}
${loop(
  known,
  "round >= rounds",
  `    workgroupBarrier();
${a.store(0)}
${b.store(0)}
    if (round + 1u < ${known === undefined ? "rounds" : `${known}u`}) {
${load("(round + 1u)")}
    }
    workgroupBarrier();
${a.pointers(0)}
${b.pointers(0)}
${multiply}`,
)}`;
}

/** A round is a step in each stage. A stage is overwritten one barrier after its fragments were read. There must be a round. */
function twoStages({ a, b, down, across, known }: MatrixRounds): string {
  const fragments = each(
    2,
    (stage) => `${each(down, (i) => `  var left${stage}_${i} = Left();`)}
${each(across, (j) => `  var right${stage}_${j} = Right();`)}`,
  );
  const read = (stage: number) => `    {
${a.pointers(stage)}
${b.pointers(stage)}
${each(down, (i) => `      left${stage}_${i} = ${a.fragment(i, 0)};`)}
${each(across, (j) => `      right${stage}_${j} = ${b.fragment(j, 0)};`)}
    }`;
  const multiply = (stage: number) =>
    each(down, (i) =>
      each(
        across,
        (j) =>
          `    sum${i}_${j} = subgroupMatrixMultiplyAccumulate(left${stage}_${i}, right${stage}_${j}, sum${i}_${j});`,
      ),
    );
  const store = (stage: number) => `${a.store(stage)}\n${b.store(stage)}`;
  // Of a round's first step, or of both where they are read at once; and of its second step.
  const loadFirst = (round: string) =>
    [a, b].map((operand) => operand.load(operand.stepsAtOnce === 2 ? round : `(${round} * 2u)`)).join("\n");
  const loadSecond = (round: string) =>
    [a, b].map((operand) => (operand.stepsAtOnce === 2 ? "" : operand.load(`(${round} * 2u + 1u)`))).join("\n");
  return `
${fragments}
${loadFirst("0u")}
${store(0)}
${loadSecond("0u")}
    workgroupBarrier();
${read(0)}
${loop(
  known === undefined ? undefined : known - 1,
  "round + 1u >= rounds",
  `${store(1)}
${loadFirst("(round + 1u)")}
    workgroupBarrier();
${read(1)}
${multiply(0)}
${store(0)}
${loadSecond("(round + 1u)")}
    workgroupBarrier();
${read(0)}
${multiply(1)}`,
)}
${store(1)}
    workgroupBarrier();
${read(1)}
${multiply(0)}
${multiply(1)}`;
}
