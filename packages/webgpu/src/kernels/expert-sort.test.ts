import { describe, expect, test } from "vitest";
import { kernelTargets, runKernel, testNumbers } from "../testing";
import { type PartSizes, partSizes } from "./expert-parts";
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
    const sizes = expertSortSizes(assignments, experts, target);
    const { chunks, tiles, tile, rows } = sizes;
    const expected = sortByLoop(expert, experts, sizes, 2);
    const token = Uint32Array.from(expert, (_, a) => Math.floor(a / 2));

    const counted = await runKernel(
      target,
      expertCount,
      { expert, counts: chunks * experts, rank: assignments },
      { assignments, experts, chunks },
    );
    const rank = counted.u32("rank");
    const scan = ({ most, spares }: PartSizes) =>
      runKernel(
        target,
        expertScan,
        {
          counts: counted.u32("counts"),
          parts: 4 * (experts + spares),
          tileExpert: tiles,
          tileRows: tiles,
          load: experts,
        },
        { experts, chunks, tiles, tile, most, spares },
      );
    const scanned = await scan(sizes);
    const [counts, tileRows] = [scanned.u32("counts"), scanned.u32("tileRows")];
    const placed = await runKernel(
      target,
      expertPlace,
      { expert, token, counts, rank, tileRows, slot: assignments, source: rows, rowToken: rows },
      { assignments, experts, rows, tile },
    );

    expect([...scanned.u32("parts")]).toEqual([...expected.parts]);
    // Parts so short that many experts have several, with room for one that is not needed.
    const short = { ...sizes, most: tile, spares: Math.floor(assignments / tile) + 1 };
    expect([...(await scan(short)).u32("parts")]).toEqual([...sortByLoop(expert, experts, short, 2).parts]);
    expect([...scanned.u32("tileExpert")]).toEqual([...expected.tileExpert]);
    expect([...tileRows]).toEqual([...expected.tileRows]);
    expect([...scanned.load]).toEqual([...expected.load]);
    expect([...placed.u32("slot")]).toEqual([...expected.slot]);
    expect([...placed.u32("rowToken")]).toEqual([...expected.rowToken]);
    expect([...placed.u32("source")]).toEqual([...expected.source]);
  });
});

test.each([
  ["two even shares", 32768, 16, 2 ** 20, { most: 4096, spares: 7 }],
  ["one and a half where matrices are few", 32768, 16, 2 ** 15, { most: 3072, spares: 10 }],
  ["at least 1,536 rows", 16384, 128, 2 ** 20, { most: 1536, spares: 10 }],
  ["whole tiles", 9000, 7, 2 ** 20, { most: 2624, spares: 3 }],
  ["no more than there are", 1000, 8, 2 ** 20, { most: 1536, spares: 0 }],
  ["all rows of one expert", 5000, 1, 2 ** 20, { most: 7552, spares: 0 }],
])("parts of experts' rows: %s", (_name, assignments, experts, width, parts) => {
  const sizes = { assignments, experts, width, tile: 64 };
  expect(partSizes(sizes, kernelTargets[1]!.target)).toEqual(parts);
  expect(partSizes(sizes, kernelTargets[0]!.target).spares).toBe(0);
});
