import { expect, test } from "vitest";
import { aligned, differences, smoothed, thinned } from "./series";

const points = (...values: number[]) => values.map((value, index) => ({ step: index + 1, value }));

test("a smoothed line starts at its first value and stays at a constant", () => {
  expect(smoothed(points(4, 4, 4)).map(({ value }) => value)).toEqual([4, 4, 4]);
  const [first, second] = smoothed(points(1, 2), 0.5);
  expect([first!.value, second!.value]).toEqual([1, (0.25 * 1 + 0.5 * 2) / 0.75]);
});

test("a thinned line has the means of neighbours", () => {
  expect(thinned(points(1, 3, 5, 7, 9), 2)).toEqual([
    { step: 3, value: 3 },
    { step: 5, value: 8 },
  ]);
  expect(thinned(points(1, 2), 2)).toEqual(points(1, 2));
});

test("lines share an axis", () => {
  expect(
    aligned([
      points(5, 6),
      [
        { step: 2, value: 1 },
        { step: 9, value: 2 },
      ],
    ]),
  ).toEqual([
    [1, 2, 9],
    [5, 6, null],
    [null, 1, 2],
  ]);
});

test("a difference has the standard error of paired batches, not of the batches", () => {
  const noise = [0, 3, -2, 5, 1];
  const a = points(...noise.map((n, i) => 10 + n + (i % 2 ? 0.1 : -0.1)));
  const last = differences(a, points(...noise)).at(-1)!;
  expect(last.value).toBeCloseTo(10 - 0.02, 10);
  const sd = Math.sqrt((3 * 0.08 ** 2 + 2 * 0.12 ** 2) / 4);
  expect(last.band).toBeCloseTo((2 * sd) / Math.sqrt(5), 10);
  expect(differences(a, points(1, 2))).toHaveLength(2);
});
