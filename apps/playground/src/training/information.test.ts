import { expect, test } from "vitest";
import { choices, informationShare } from "./information";

test("layers that choose alike tell everything, layers that choose apart nothing", () => {
  const even = [0, 1, 2, 3, 0, 1, 2, 3];
  expect(informationShare(even, even, 4)).toBeCloseTo(1, 10);
  expect(
    informationShare(
      even,
      even.map((expert) => (expert + 1) % 4),
      4,
    ),
  ).toBeCloseTo(1, 10);
  expect(informationShare([0, 0, 1, 1], [0, 1, 0, 1], 2)).toBeCloseTo(0, 10);
  expect(informationShare(even, [0, 0, 0, 0, 0, 0, 0, 0], 4)).toBe(0);
});

test("a token's choice is its first expert", () => {
  const [two, none] = [
    { experts: [3, 1], weights: [0.7, 0.3] },
    { experts: [], weights: [] },
  ];
  expect(choices([two, none])).toEqual([3, -1]);
});
