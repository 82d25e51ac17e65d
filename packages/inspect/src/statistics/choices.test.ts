import { expect, test } from "vitest";
import { NO_CHOICE } from "./choice-information";
import { choiceChange, expertsOf, firstChoices } from "./choices";

const none = 0xffffffff;
const choices = (expert: number[], weight: number[]) => ({
  expert: Uint32Array.from(expert),
  weight: Float32Array.from(weight),
});

const before = choices([2, 0, 1, 3, none, none, 1, none], [0.75, 0.25, 0.5, 0.5, 0, 0, 1, 0]);

test("experts of a token, and the first of them", () => {
  expect(expertsOf(before, 4, 0)).toEqual([
    [2, 0.75],
    [0, 0.25],
  ]);
  expect(expertsOf(before, 4, 2)).toEqual([]);
  expect([...firstChoices(before, 4)]).toEqual([2, 1, NO_CHOICE, 1]);
});

test("what changes between two choices", () => {
  expect(choiceChange(before, before, 4)).toEqual({ first: 0, assignments: 0 });
  const after = choices([0, 2, 1, 0, none, none, 1, none], [0.75, 0.25, 0.5, 0.5, 0, 0, 1, 0]);
  // Token 0 has its experts in another order, token 1 one other expert: one first choice of four, one assignment of five.
  expect(choiceChange(before, after, 4)).toEqual({ first: 0.25, assignments: 0.2 });
  expect(choiceChange(before, after, 4, (t) => t > 1)).toEqual({ first: 0, assignments: 0 });
});
