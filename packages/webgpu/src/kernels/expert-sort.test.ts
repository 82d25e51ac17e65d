import { describe, expect, test } from "vitest";
import { kernelTargets, runKernel, testNumbers } from "../testing";
import { expertCount, expertPlace, expertScan, expertSortSizes } from "./expert-sort";
import { sortByLoop } from "./expert-sort-by-loop";

const none = 0xffffffff;
const cases: [string, number, (a: number) => number, number][] = [
  ["one assignment", 1, () => 2, 4],
  ["one expert", 70, () => 0, 1],
  ["all on the last of five", 200, () => 4, 5],
  ["every other expert empty", 300, (a) => 2 * (a % 3), 7],
  ["no assignment has an expert", 9, () => none, 3],
  ["exactly one chunk", 64, (a) => a % 2, 2],
  ["random, some without expert", 389, (a) => (a % 5 === 3 ? none : Math.floor((numbers[a]! + 1) * 8)), 16],
  ["more experts than lanes", 700, (a) => (a * 37) % 300, 300],
  ["as many as worst-case padding holds", 5, (a) => a, 5],
];
const numbers = testNumbers(389);

describe.each(kernelTargets)("expert sort, $name", ({ target }) => {
  test.each(cases)("%s", async (_name, assignments, expertOf, experts) => {
    const expert = Uint32Array.from({ length: assignments }, (_, a) => expertOf(a));
    const { chunks, tiles, tile, rows } = expertSortSizes(assignments, experts, target);
    const expected = sortByLoop(expert, experts, { tiles, tile }, 2);
    const token = Uint32Array.from(expert, (_, a) => Math.floor(a / 2));

    const counted = await runKernel(
      target,
      expertCount,
      { expert, counts: chunks * experts, rank: assignments },
      { assignments, experts, chunks },
    );
    const rank = counted.u32("rank");
    const scanned = await runKernel(
      target,
      expertScan,
      { counts: counted.u32("counts"), segments: experts * 2, tileExpert: tiles, tileRows: tiles, load: experts },
      { experts, chunks, tiles, tile },
    );
    const [counts, tileRows] = [scanned.u32("counts"), scanned.u32("tileRows")];
    const placed = await runKernel(
      target,
      expertPlace,
      { expert, token, counts, rank, tileRows, slot: assignments, source: rows, rowToken: rows },
      { assignments, experts, rows, tile },
    );

    expect([...scanned.u32("segments")]).toEqual([...expected.segments]);
    expect([...scanned.u32("tileExpert")]).toEqual([...expected.tileExpert]);
    expect([...tileRows]).toEqual([...expected.tileRows]);
    expect([...scanned.load]).toEqual([...expected.load]);
    expect([...placed.u32("slot")]).toEqual([...expected.slot]);
    expect([...placed.u32("rowToken")]).toEqual([...expected.rowToken]);
    expect([...placed.u32("source")]).toEqual([...expected.source]);
  });
});
