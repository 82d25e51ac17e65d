import { measureModel } from "@webmoe/model";
import { expect, test } from "vitest";
import { resolveConfig } from "../config/resolve";
import { makeModel } from "../run-model";
import { comparisonCharts } from "./charts";
import { type Entry, summarise, verdict } from "./comparison";
import { comparisonPage } from "./page";
import type { RunResult } from "./run-result";
import { summaryTables } from "./tables";

const config = resolveConfig({ router: "linear", steps: 10, set: [] });
const size = measureModel(await makeModel(config));

/** Runs with these losses at step 10 by seed, and twice as much at step 5. */
function entry(label: string, losses: Record<number, number>, adapter = "gpu", msPerStep = 10): Entry {
  const runs = Object.entries(losses).map(([seed, loss]): RunResult => {
    const at = (step: number, loss: number) => ({ step, loss: loss * Math.LN2, bitsPerByte: loss });
    const best = { step: 10, validation: at(10, loss), test: at(10, loss + 1) };
    const validations = [at(5, 2 * loss), at(10, loss)];
    return { seed: Number(seed), adapter, validations, best, training: [], msPerStep, memory: 100, seconds: 1 };
  });
  return { label, config, size, runs };
}

const plan = { seeds: [1, 2, 3], match: "none" as const, baseline: "linear", command: "webmoe compare" };
const linear = entry("linear", { 1: 2.0, 2: 2.2, 3: 2.4 });

test("differences are of runs of one seed, with an interval over seeds", () => {
  // Far apart over seeds, but always about 0.1 lower: unpaired, nothing would be seen.
  const { routers, complete, caveat } = summarise([linear, entry("other", { 3: 2.31, 1: 1.89, 2: 2.1 })], plan);
  expect([complete, caveat]).toEqual([true, undefined]);
  const [baseline, other] = routers;
  expect(baseline!.validation!.difference).toBeUndefined();
  expect(baseline!.validation!.mean).toBeCloseTo(2.2, 12);
  expect(baseline!.validation!.deviation).toBeCloseTo(0.2, 12);
  const { mean, low, high, seeds } = other!.validation!.difference!;
  expect(seeds).toBe(3);
  expect(mean).toBeCloseTo(-0.1, 12);
  // s = 0.01, t = 4.30265: 4.30265 * 0.01 / sqrt 3
  expect(high! - mean).toBeCloseTo(0.024841, 5);
  expect(mean - low!).toBeCloseTo(0.024841, 5);
  expect(verdict(other!.validation!)).toBe("lower");
  expect(other!.test!.difference!.mean).toBeCloseTo(-0.1, 12);
  expect(other!.curve.map(({ step, mean }) => [step, Number(mean.toFixed(6))])).toEqual([
    [5, 4.2],
    [10, 2.1],
  ]);
  expect(other!.curve[0]!.difference!.mean).toBeCloseTo(-0.2, 12);
});

test("an interval around zero is no difference, one above it is higher", () => {
  const { routers } = summarise(
    [linear, entry("same", { 1: 2.1, 2: 2.1, 3: 2.4 }), entry("worse", { 1: 2.1, 2: 2.3, 3: 2.51 })],
    plan,
  );
  expect(routers.map(({ validation }) => verdict(validation!))).toEqual([undefined, "no difference seen", "higher"]);
});

test("below three seeds no conclusion can be drawn", () => {
  const entries = [entry("linear", { 1: 2, 2: 2 }), entry("other", { 1: 1, 2: 1 })];
  const comparison = summarise(entries, { ...plan, seeds: [1, 2] });
  expect(comparison.caveat).toContain("with 2 seeds no conclusion can be drawn");
  expect(verdict(comparison.routers[1]!.validation!)).toBeUndefined();
  expect(summaryTables(comparison)).toContain("no conclusion can be drawn");
  expect(summaryTables(comparison)).not.toContain("lower");
  expect(comparisonPage(comparison)).toContain("no conclusion can be drawn");
});

test("while runs are missing, what is there is compared", () => {
  const comparison = summarise([linear, entry("other", { 2: 2.1 })], plan);
  expect([comparison.complete, comparison.done, comparison.planned]).toEqual([false, 4, 6]);
  expect(comparison.routers[1]!.validation!.difference).toEqual({ mean: expect.closeTo(-0.1, 12), seeds: 1 });
  expect(comparisonPage(comparison)).toContain("4 of 6 runs are done");
});

test("times are compared on one kind of adapter", () => {
  const there = summarise([linear, entry("slow", { 1: 2, 2: 2, 3: 2 }, "gpu", 15)], plan).routers[1]!;
  expect(there.msPerStep).toEqual({ mean: 15, relative: 1.5 });
  const elsewhere = summarise([linear, entry("slow", { 1: 2 }, "another gpu", 15)], plan).routers[1]!;
  expect(elsewhere.msPerStep).toEqual({ mean: 15 });
});

test("the page holds everything itself, and names are not markup", () => {
  const page = comparisonPage(summarise([linear, entry("<b>x</b>&", { 1: 1, 2: 1, 3: 1.1 })], plan));
  expect(page).not.toMatch(/(src|href)=|@import|url\((?!#)|https?:\/\/(?!www\.w3\.org)/);
  expect(page).not.toContain("<b>x");
  expect(page.match(/<svg /g)).toHaveLength(3);
  expect(page.match(/<polygon /g)!.length).toBe(2);
});

test("no run, no chart", () => {
  const nothing = summarise([entry("linear", {})], plan);
  expect(comparisonCharts(nothing)).toEqual({});
  const two = comparisonCharts(summarise([linear, entry("other", { 1: 1.9, 2: 2.1 })], plan));
  expect(Object.keys(two)).toEqual(["curves.svg", "lags.svg", "differences.svg"]);
  expect(two["lags.svg"]).toContain("other, 10: -0.1000");
  expect(two["lags.svg"]).not.toContain("linear,");
  expect(comparisonPage(nothing)).toContain("0 of 3 runs are done");
});
