import { expect, test } from "vitest";
import { smoothed, thinned } from "./smooth";

const curve = (...values: number[]) => values.map((y, index) => ({ x: index + 1, y }));

test("a running mean forgets, and starts at the first value", () => {
  const values = [4, 0, 2, 8];
  const share = 0.5;
  const expected = values.map((_, t) => {
    const weights = values.slice(0, t + 1).map((_, i) => share ** (t - i));
    return weights.reduce((sum, w, i) => sum + w * values[i]!, 0) / weights.reduce((sum, w) => sum + w, 0);
  });
  smoothed(curve(...values), share).forEach(({ x, y }, index) => {
    expect(x).toBe(index + 1);
    expect(y).toBeCloseTo(expected[index]!, 12);
  });
  expect(smoothed(curve(...values), 0)).toEqual(curve(...values));
});

test("a thinned curve keeps every peak, in order", () => {
  const values = Array.from({ length: 5000 }, (_, i) => Math.sin(i / 50));
  values[3210] = 9;
  values[4321] = -9;
  const kept = thinned(curve(...values), 200);
  expect(kept.length).toBeLessThanOrEqual(202);
  expect(kept.map(({ y }) => y)).toEqual(expect.arrayContaining([9, -9]));
  expect(kept.every(({ x }, index) => index === 0 || x > kept[index - 1]!.x)).toBe(true);
  expect(thinned(curve(1, 2), 200)).toEqual(curve(1, 2));
});
