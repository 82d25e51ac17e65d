import { expect, test } from "vitest";
import { interval95, mean, median, quantile, standardDeviation, studentQuantile } from "./statistics";

test.each([
  [1, 12.7062],
  [2, 4.30265],
  [3, 3.18245],
  [4, 2.77645],
  [9, 2.26216],
  [10, 2.22814],
  [30, 2.04227],
  [100, 1.98397],
])("95 %% of Student's distribution with %i degrees of freedom are within %f", (freedom, expected) => {
  expect(studentQuantile(0.95, freedom)).toBeCloseTo(expected, 4);
});

test("99 % with 5 degrees of freedom", () => {
  expect(studentQuantile(0.99, 5)).toBeCloseTo(4.03214, 4);
});

test("the interval of a mean", () => {
  const { mean, low, high } = interval95([1, 2, 3]);
  expect(mean).toBe(2);
  expect(high).toBeCloseTo(2 + 4.30265 / Math.sqrt(3), 4);
  expect(low).toBeCloseTo(2 - 4.30265 / Math.sqrt(3), 4);
  expect(interval95([7])).toEqual({ mean: 7 });
});

test("mean, deviation and median", () => {
  expect(mean([1, 2, 6])).toBe(3);
  expect(standardDeviation([2, 4, 4, 4, 5, 5, 7, 9])).toBeCloseTo(Math.sqrt(32 / 7), 12);
  expect(standardDeviation([3])).toBeUndefined();
  expect(median([5, 1, 9])).toBe(5);
  expect(median([5, 1, 9, 7])).toBe(6);
});

test("a quantile is one of the values or between two", () => {
  expect([0, 0.25, 0.5, 1].map((share) => quantile([4, 1, 3, 5, 2], share))).toEqual([1, 2, 3, 5]);
  expect([0.5, 0.75].map((share) => quantile([1, 2, 4, 8], share))).toEqual([3, 5]);
});
