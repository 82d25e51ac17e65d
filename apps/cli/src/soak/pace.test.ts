import { expect, test } from "vitest";
import { compareQuarters } from "./pace";
import { stepTimer } from "./step-timer";

/** Stretches of 10 steps with the milliseconds of one. */
const stretches = (...milliseconds: number[]) => milliseconds.map((ms) => ({ steps: 10, seconds: ms / 100 }));
const row = (count: number, ms: number) => Array.from({ length: count }, () => ms);

test("quarters of a steady run are alike, and their pace is tokens over seconds", () => {
  expect(compareQuarters(stretches(...row(10, 4)), 64)).toEqual({
    first: { median: 16_000, mean: 16_000 },
    last: { median: 16_000, mean: 16_000 },
    change: 0,
  });
});

test("what holds a run up for moments lowers the mean and not the median", () => {
  const { first, last, change } = compareQuarters(stretches(...row(36, 4), 9, 4, 12, 4), 64);
  expect(change).toBe(0);
  expect(last.median).toBe(first.median);
  expect(last.mean).toBeLessThan(0.8 * first.mean);
});

test.each([
  ["a step in the middle", (at: number) => (at < 50 ? 4 : 4.3)],
  ["slowly", (at: number) => 4 + 0.4 * (at / 100)],
  ["with every step", (at: number) => 4 * 1.001 ** at],
])("a run that becomes slower by more than a twentieth shows it: %s", (_, ms) => {
  expect(compareQuarters(stretches(...row(100, 0).map((_, at) => ms(at))), 64).change).toBeLessThan(-0.05);
});

test("a run that becomes faster shows it too", () => {
  expect(compareQuarters(stretches(8, 4, 4, 4), 64).change).toBe(1);
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
