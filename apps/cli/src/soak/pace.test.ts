import { describe, expect, test } from "vitest";
import { compareQuarters } from "./pace";
import { stepTimer } from "./step-timer";

/** Stretches of 10 steps with the milliseconds of one. */
const stretches = (...milliseconds: number[]) => milliseconds.map((ms) => ({ steps: 10, seconds: ms / 100 }));
const row = (count: number, ms: number) => Array.from({ length: count }, () => ms);

test("quarters of a steady run are alike, and their pace is tokens over seconds", () => {
  const pace = { fast: 16_000, median: 16_000, mean: 16_000 };
  expect(compareQuarters(stretches(...row(10, 4)), 64)).toEqual({ first: pace, last: pace, change: 0 });
});

test("what holds a run up for moments lowers the mean and nothing else", () => {
  const { first, last, change } = compareQuarters(stretches(...row(36, 4), 9, 4, 12, 4), 64);
  expect(change).toBe(0);
  expect(last.median).toBe(first.median);
  expect(last.mean).toBeLessThan(0.8 * first.mean);
});

describe("a run on a machine that others share", () => {
  /**
   * Seconds of 1,000 stretches: 1.08 ms a step give or take 0.5 %, `slower` by a share at each place in [0, 1), 1.2 to 1.6 times that in
   * four of five stretches while others are `busy`, and a pause of 25 ms now and then, behind which two queued steps are ready.
   */
  function run(slower: (at: number) => number, busy: (at: number) => boolean, seed = 1) {
    let state = seed;
    const random = () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 32;
    };
    let paused = false;
    return Array.from({ length: 1000 }, (_, index) => {
      const at = index / 1000;
      const alone = 1.08e-3 * (1 + 0.01 * (random() - 0.5)) * (1 + slower(at));
      const held = busy(at) && random() < 0.8 ? 1.2 + 0.4 * random() : 1;
      const ready = paused ? 2 : 0;
      paused = random() < 0.01;
      return { steps: 20, seconds: alone * held * (20 - ready) + (paused ? 0.025 : 0) };
    });
  }
  const always = () => true;
  const never = () => false;
  const early = (at: number) => at < 0.4;
  const late = (at: number) => at > 0.6;
  const inTurns = (at: number) => Math.floor(at * 13) % 2 === 0;
  const change = (slower: (at: number) => number, busy: (at: number) => boolean, seed = 1) =>
    compareQuarters(run(slower, busy, seed), 512).change;

  test.each([
    ["alone", never],
    ["busy throughout", always],
    ["busy at first", early],
    ["busy at last", late],
    ["busy now and then", inTurns],
  ])("is steady where nothing slows it, and found where something does: %s", (_, busy) => {
    for (const seed of [1, 2, 3]) {
      expect(Math.abs(change(() => 0, busy, seed))).toBeLessThan(0.01);
      // It takes more time, or less, evenly or from somewhere on.
      expect(change((at) => 0.07 * at, busy, seed)).toBeLessThan(-0.05);
      expect(change((at) => (at < 0.7 ? 0 : 0.055), busy, seed)).toBeLessThan(-0.05);
      expect(change((at) => -0.055 * at, busy, seed)).toBeGreaterThan(0.045);
      expect(change((at) => 0.035 * at, busy, seed)).toBeGreaterThan(-0.05);
    }
  });

  test("an even change is told by what it comes to", () => {
    expect(change((at) => 1 / (1 - 0.06 * at) - 1, never)).toBeCloseTo(-0.06, 2);
  });

  test("whose medians say what the others did", () => {
    const { first, last, change } = compareQuarters(
      run(() => 0, late),
      512,
    );
    expect(last.median).toBeLessThan(0.9 * first.median);
    expect(Math.abs(change)).toBeLessThan(0.01);
    const hidden = compareQuarters(
      run((at) => 0.065 * at, early),
      512,
    );
    expect(hidden.last.median).toBeGreaterThan(hidden.first.median);
    expect(hidden.change).toBeLessThan(-0.05);
  });
});

test("stretches of other lengths count by their pace, and three are too few", () => {
  expect(compareQuarters([{ steps: 1, seconds: 0.05 }, ...stretches(50, 50, 50)], 64).change).toBe(0);
  expect(() => compareQuarters(stretches(4, 4, 4), 64)).toThrow("needs four stretches of steps to compare, got 3");
});

test("a timer adds up steps, and leaves out pauses with the step behind them", () => {
  let time = 0;
  const timer = stepTimer(() => time);
  const stepAfter = (seconds: number) => {
    time += seconds;
    timer.step();
  };
  stepAfter(100); // since when it took is not known
  expect(timer.take()).toBeUndefined();
  stepAfter(1);
  stepAfter(2);
  expect(timer.take()).toEqual({ steps: 2, seconds: 3 });
  stepAfter(1);
  time += 50;
  timer.pause();
  stepAfter(4);
  stepAfter(1);
  expect(timer.take()).toEqual({ steps: 2, seconds: 2 });
  timer.pause();
  expect(timer.take()).toBeUndefined();
});
