import { describe, expect, test } from "vitest";
import { kernelTargets, runKernel, testNumbers } from "../testing";
import { evenExperts, expertCapacity, expertLoad } from "./expert-capacity";

const NONE = 0xffffffff;

/** Experts of A assignments, of which some are unused. */
const assigned = (assignments: number, experts: number) =>
  Uint32Array.from(testNumbers(assignments), (value, a) =>
    a % 11 === 3 ? NONE : Math.floor(Math.abs(value) * 7919) % experts,
  );

describe.each(kernelTargets)("expert capacity, $name", ({ target }) => {
  const sizes: [number, number, number][] = [
    [1, 1, 1],
    [7, 3, 1],
    [64, 2, 20],
    [301, 5, 40],
    [130, 4, 999],
  ];

  test.each(sizes)("of %i assignments to %i experts the first %i each stay", async (assignments, experts, capacity) => {
    const expert = assigned(assignments, experts);
    const weight = testNumbers(assignments).map((value) => Math.round(value * 9)); // with ties
    for (const drop of ["last", "lowest"] as const) {
      const order = [...expert.keys()];
      if (drop === "lowest") order.sort((a, b) => weight[b]! - weight[a]! || a - b);
      const taken = new Map<number, number>();
      const expected = new Uint32Array(assignments).fill(NONE);
      for (const a of order) {
        const place = taken.get(expert[a]!) ?? 0;
        taken.set(expert[a]!, place + 1);
        if (place < capacity) expected[a] = expert[a]!;
      }
      const buffers = { expert, weight, kept: assignments };
      const result = await runKernel(target, expertCapacity, buffers, { assignments, capacity }, { drop });
      expect([...result.u32("kept")]).toEqual([...expected]);
    }
  });

  test.each(sizes)("counts %i assignments of %i experts", async (assignments, experts) => {
    const expert = assigned(assignments, experts);
    const expected = Array.from({ length: experts }, (_, e) => expert.filter((value) => value === e).length);
    const { load } = await runKernel(target, expertLoad, { expert, load: experts }, { assignments, experts });
    expect([...load]).toEqual(expected);
  });

  test("even experts go round, padding to none", async () => {
    const buffers = { mask: Float32Array.of(1, 1, 0, 1), column: 8, expert: 8 };
    const result = await runKernel(target, evenExperts, buffers, { tokens: 4, topK: 2, experts: 3 });
    expect([...result.u32("column")]).toEqual([0, 1, 2, 0, 1, 2, 0, 1]);
    expect([...result.u32("expert")]).toEqual([0, 1, 2, 0, NONE, NONE, 0, 1]);
  });
});
