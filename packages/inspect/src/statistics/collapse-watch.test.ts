import { expect, test } from "vitest";
import { COLLAPSE_STEPS, collapseWatch } from "./collapse-watch";

const even = [10, 10, 10, 10];

/** What is said over steps, with the step it was said at. */
function watch(topK: number, steps: number, load: (step: number) => number[][]): [number, string][] {
  const { see } = collapseWatch({ topK });
  return Array.from({ length: steps }, (_, step) => [step + 1, see(load(step + 1))] as const).flatMap(([step, said]) =>
    said ? [[step, said] as [number, string]] : [],
  );
}

test("one expert above 80 % of the tokens for 50 steps is said once", () => {
  const said = watch(2, 3 * COLLAPSE_STEPS, () => [even, [38, 1, 1, 36]]);
  expect(said).toHaveLength(1);
  expect(said[0]).toEqual([
    50,
    "routing collapsed: expert 0 of MoE layer 1 has had more than 80 % of the tokens for 50 steps: raise moe.balanceLoss, or lower optimizer.lr",
  ]);
});

test("a step in between starts the count anew, and so does another expert", () => {
  const most = [37, 1, 1, 1];
  expect(watch(1, 94, (step) => [step === 45 ? even : most])).toEqual([]);
  expect(watch(1, 95, (step) => [step === 45 ? even : most])).toMatchObject([
    [95, expect.stringContaining("expert 0")],
  ]);
  expect(watch(1, 90, (step) => [step <= 45 ? most : [1, 1, 1, 37]])).toEqual([]);
});

test("dead experts above half are said, half of them are not", () => {
  expect(watch(2, 60, () => [[20, 20, 0, 0]])).toMatchObject([
    [50, expect.stringContaining("expert 0 of MoE layer 0")],
  ]);
  const said = watch(2, 60, () => [[10, 10, 10, 10, 0, 0, 0, 0, 0, 0]]);
  expect(said).toEqual([[50, expect.stringContaining("6 of the 10 experts of MoE layer 0 have had no token")]]);
  expect(watch(2, 60, () => [[10, 10, 10, 10, 0, 0, 0, 0]])).toEqual([]);
});

test("experts that take turns are not dead, though each step has few", () => {
  expect(
    watch(1, 120, (step) => [Array.from({ length: 8 }, (_, expert) => (expert % 4 === step % 4 ? 3 : 0))]),
  ).toEqual([]);
});

test("a layer whose even share is above half is not judged by it", () => {
  expect(watch(4, 60, () => [[10, 10, 10, 10]])).toEqual([]);
  expect(watch(2, 60, () => [[10, 10, 1]])).toEqual([]);
});
