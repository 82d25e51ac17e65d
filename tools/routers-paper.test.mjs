import { expect, test } from "vitest";
import { againstPaper, PAPER, publishedDifferences } from "./routers-paper.mjs";

const here = (/** @type {number} */ mean, /** @type {number} */ low, /** @type {number} */ high, seeds = 3) => ({
  mean,
  low,
  high,
  seeds,
});

test.each([
  [[-0.012], here(-0.01, -0.02, -0.005), "same order, paper's inside"],
  [[-0.012], here(-0.05, -0.06, -0.04), "same order, larger here"],
  [[-0.012], here(-0.004, -0.006, -0.002), "same order, smaller here"],
  [[-0.012], here(0.05, 0.03, 0.07), "**opposite order**"],
  [[-0.012], here(0.01, -0.02, 0.04), "not told apart, paper's inside"],
  [[-0.012], here(0.05, -0.01, 0.11), "not told apart, paper's outside"],
  [[-0.001], here(0.05, 0.03, 0.07), "**order here, none there**"],
  [[0.012, 0.001], here(0.008, 0.004, 0.013), "paper's inside, which is no order"],
  [[0.012, -0.002], here(-0.03, -0.04, -0.02), "**order here, none there**"],
  [[-0.012], here(-0.01, -0.02, -0.005, 2), "too few seeds"],
  [[-0.012], { mean: -0.01, seeds: 1 }, "too few seeds"],
  [[-0.012], undefined, "too few seeds"],
  [[], here(-0.01, -0.02, -0.005), ""],
])("the paper's %j beside %j: %s", (published, difference, said) => {
  expect(againstPaper(published, difference)).toBe(said);
});

test("differences are of one size, and of every figure that there is", () => {
  const [small, medium] = PAPER.map(({ test }) => test);
  expect(publishedDifferences(small ?? {}, "recurrent", "linear")).toEqual([-0.001]);
  expect(publishedDifferences(small ?? {}, "NP", "linear")).toEqual([0.012, 0.001]);
  expect(publishedDifferences(medium ?? {}, "recurrent", "linear")).toEqual([-0.012]);
  expect(publishedDifferences(small ?? {}, "xmoe", "linear")).toEqual([]);
  expect(publishedDifferences(medium ?? {}, "constructor", "linear")).toEqual([]);
});
