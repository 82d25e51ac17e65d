import { describe, expect, test } from "vitest";
import { kernelTargets, runKernel, testNumbers } from "../testing";
import {
  expertCount,
  expertNoSource,
  expertSegments,
  expertSlot,
  expertSortSizes,
  expertSource,
  expertTotal,
} from "./expert-sort";
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
  ["as many as worst-case padding holds", 5, (a) => a, 5],
];
const numbers = testNumbers(389);

describe.each(kernelTargets)("expert sort, $name", ({ target }) => {
  test.each(cases)("%s", async (_name, assignments, expertOf, experts) => {
    const expert = Uint32Array.from({ length: assignments }, (_, a) => expertOf(a));
    const { chunks, tiles, tile, rows } = expertSortSizes(assignments, experts, target);
    const expected = sortByLoop(expert, experts, { tiles, tile });

    const counted = await runKernel(
      target,
      expertCount,
      { expert, counts: chunks * experts, rank: assignments },
      { assignments, experts, chunks },
    );
    const rank = counted.u32("rank");
    const scanned = await runKernel(
      target,
      expertTotal,
      { counts: counted.u32("counts"), total: experts },
      { experts, chunks },
    );
    const total = scanned.u32("total");
    const counts = scanned.u32("counts");
    const cut = await runKernel(
      target,
      expertSegments,
      { total, segments: experts * 2, tileExpert: tiles, load: experts },
      { experts, tiles, tile },
    );
    const segments = cut.u32("segments");
    const placed = await runKernel(
      target,
      expertSlot,
      { expert, counts, rank, segments, slot: assignments },
      { assignments, experts },
    );
    const slot = placed.u32("slot");
    const empty = await runKernel(target, expertNoSource, { source: rows }, { rows });
    const back = await runKernel(target, expertSource, { slot, source: empty.u32("source") }, { assignments });

    expect([...segments]).toEqual([...expected.segments]);
    expect([...cut.u32("tileExpert")]).toEqual([...expected.tileExpert]);
    expect([...cut.load]).toEqual([...expected.load]);
    expect([...slot]).toEqual([...expected.slot]);
    expect([...back.u32("source")]).toEqual([...expected.source]);
  });
});
