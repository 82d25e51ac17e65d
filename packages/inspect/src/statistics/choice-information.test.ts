import { expect, test } from "vitest";
import { choiceInformation, mutualInformation, NO_CHOICE } from "./choice-information";
import { shuffle } from "./shuffle";

const cycle = (length: number, classes: number) => Int32Array.from({ length }, (_, t) => t % classes);

test("a choice tells all about itself, and nothing about a constant", () => {
  const a = cycle(400, 4);
  expect(mutualInformation(a, a, 4)).toBeCloseTo(Math.log(4), 3);
  expect(mutualInformation(a, new Int32Array(400), 4)).toBe(0);
});

test("independent choices have information by chance, which the correction takes away", () => {
  const [a, b] = [cycle(90, 8), cycle(90, 8)];
  shuffle(5)(b);
  const { raw, chance, spread, corrected } = choiceInformation(a, b, 8);
  expect(raw).toBeGreaterThan(0.15);
  expect(chance).toBeGreaterThan(0.2);
  expect(Math.abs(corrected)).toBeLessThan(3 * spread);
  expect(corrected).toBeCloseTo(raw - chance, 12);
});

test("dependent choices stay far above chance", () => {
  const a = cycle(90, 4);
  const { corrected, spread } = choiceInformation(
    a,
    a.map((x) => (x + 1) % 4),
    4,
  );
  expect(corrected).toBeGreaterThan(20 * spread);
});

test("tokens that chose nothing are left out, and the same seed gives the same", () => {
  const [a, b] = [cycle(60, 4), cycle(60, 4)];
  const some = choiceInformation(a.slice(0, 40), b.slice(0, 40), 4);
  b.fill(NO_CHOICE, 40);
  expect(choiceInformation(a, b, 4)).toEqual(some);
  b.fill(NO_CHOICE);
  expect(choiceInformation(a, b, 4)).toEqual({ raw: 0, chance: 0, spread: 0, corrected: 0 });
});
