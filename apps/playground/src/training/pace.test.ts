import { expect, test } from "vitest";
import { pace } from "./pace";

test("a run steps until it is paused, then step by step", async () => {
  const one = pace(1);
  expect(one.before(0)).toBeUndefined();
  one.stepped(0);
  one.pause();
  const wait = one.before(0);
  expect(wait).toBeInstanceOf(Promise);
  one.step();
  await wait;
  expect(one.before(0)).toBeUndefined();
  one.stepped(0);
  expect(one.before(0)).toBeInstanceOf(Promise);
  one.resume();
  expect(one.before(0)).toBeUndefined();
});

test("two runs step in turn, also when one loses its step", async () => {
  const two = pace(2);
  const second = two.before(1);
  expect(second).toBeInstanceOf(Promise);
  expect(two.before(0)).toBeUndefined();
  expect(two.before(0)).toBeInstanceOf(Promise);
  two.stepped(0);
  await second;
  expect(two.before(0)).toBeInstanceOf(Promise);
  expect(two.before(1)).toBeUndefined();
  expect(two.before(1)).toBeInstanceOf(Promise);
  two.lost(1);
  expect(two.before(1)).toBeUndefined();
  two.stepped(1);
  expect(two.before(0)).toBeUndefined();
});
