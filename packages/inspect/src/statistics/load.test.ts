import { expect, test } from "vitest";
import { dropRatio, loadFigures } from "./load";

test("an even load", () => {
  expect(loadFigures([8, 8, 8, 8], 2)).toEqual({ maxLoad: 0.5, dead: 0, active: 1, maxViolation: 0 });
  expect(dropRatio([8, 8, 8, 8])).toBe(0);
});

test("one expert that every token goes to, two that none goes to", () => {
  expect(loadFigures(Float32Array.of(16, 16, 0, 0), 2)).toEqual({ maxLoad: 1, dead: 2, active: 0.5, maxViolation: 1 });
  expect(dropRatio([16, 16, 0, 0])).toBe(0.5);
});

test("capacity is rounded up, as the layer's is", () => {
  expect(dropRatio([3, 1, 1])).toBeCloseTo(1 / 5); // room for ceil(5 / 3) = 2
  expect(dropRatio([3, 1, 1], 2)).toBe(0);
});

test("no tokens at all", () => {
  expect(loadFigures([0, 0], 1)).toEqual({ maxLoad: 0, dead: 2, active: 0, maxViolation: 0 });
  expect(dropRatio([0, 0])).toBe(0);
});
