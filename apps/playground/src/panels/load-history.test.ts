import { expect, test } from "vitest";
import { loadHistory } from "./load-history";

test("shares are of an even one, and long histories join neighbours", () => {
  const history = loadHistory();
  history.push([[3, 1]]);
  expect(history.columns(0)).toEqual([[1.5, 0.5]]);
  for (let step = 2; step <= 240; step++) history.push([[1, 1]]);
  expect(history.columns(0)).toHaveLength(240);
  history.push([[0, 8]]);
  expect(history.stepsEach).toBe(2);
  expect(history.columns(0)).toHaveLength(121);
  expect(history.columns(0)[0]).toEqual([4 / 3, 2 / 3]);
  history.push([[8, 0]]);
  expect(history.columns(0)).toHaveLength(121);
  expect(history.columns(0).at(-1)).toEqual([1, 1]);
});
