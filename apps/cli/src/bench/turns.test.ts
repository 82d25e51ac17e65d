import { expect, test } from "vitest";
import { ratioOf, turnsOf } from "./turns";

test("every second round goes from the last to the first, and its results keep their places", async () => {
  const calls: string[] = [];
  const way = (name: string) => async () => {
    calls.push(name);
    return `${name}${calls.length}`;
  };
  const round = turnsOf(["a", "b", "c"].map(way));
  expect(await round()).toEqual(["a1", "b2", "c3"]);
  expect(await round()).toEqual(["a6", "b5", "c4"]);
  expect(await round()).toEqual(["a7", "b8", "c9"]);
});

test("a ratio is that of figures of one round, whatever the clock did between rounds", () => {
  // The clock falls by half after two rounds: medians of either alone would be 1 and 3.
  const { median, spread } = ratioOf([1.5, 1.5, 3, 3, 3.3], [1, 1, 2, 2, 2]);
  expect(median).toBe(1.5);
  expect(spread).toEqual([1.5, 1.5]);
});
