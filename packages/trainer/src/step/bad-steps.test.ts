import { expect, test } from "vitest";
import { badStepWatch } from "./bad-steps";
import type { StepValues } from "./step-values";

const model = { config: { vocab: 256 } } as Parameters<typeof badStepWatch>[1];
const values = (loss: number, gradNorm: number, lossScale?: number) =>
  ({ loss, gradNorm, lossScale }) as unknown as StepValues;

test.each([
  [Number.NaN, Number.NaN, "the loss is NaN"],
  [6e29, Number.POSITIVE_INFINITY, "the loss exploded to 6e+29"],
  [17.234, 2, "the loss exploded to 17.2"],
  [2, Number.POSITIVE_INFINITY, "the norm of the gradients is Infinity"],
])("a loss of %d with gradients of norm %d: %s", (loss, gradNorm, reason) => {
  expect(badStepWatch("skip", model).see(1, values(loss, gradNorm))).toMatchObject({ reason, first: 1, count: 1 });
});

test("an overflow with room for a smaller loss scale concerns nobody, whatever the mode; without room it does", () => {
  const overflow = values(2, Number.POSITIVE_INFINITY, 1024);
  expect(badStepWatch("stop", model).see(1, overflow)).toMatchObject({ notable: false, stop: false });
  expect(badStepWatch("stop", model).see(1, values(2, Number.NaN, 1))).toMatchObject({ notable: true, stop: true });
});

test("ten in a row stop a run, a good step in between starts the count anew", () => {
  const watch = badStepWatch("skip", model);
  const stops = Array.from({ length: 20 }, (_, i) => watch.see(i + 1, values(i === 9 ? 2 : 100, 1))?.stop ?? false);
  expect(stops.indexOf(true)).toBe(19);
  expect(watch.inRow()).toBe(10);
});
