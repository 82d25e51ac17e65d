import { expect, test } from "vitest";
import { compareStretches, costLine } from "./compare-stretches";

test("the cost is the median over pairs, and who comes first alternates", async () => {
  const calls: string[] = [];
  const costs = [2, 2.2, 5, 2.1, 1.9, 2.2, 2.1];
  let pair = 0;
  const without = async (steps: number) => {
    calls.push(`without ${steps}`);
    return 2;
  };
  const having = async (steps: number) => {
    calls.push(`with ${steps}`);
    return steps === 4 ? costs[pair++]! : 2;
  };
  const cost = await compareStretches(without, having, { steps: 4, pairs: 7, warmUp: 0 });
  expect(calls.slice(0, 6)).toEqual(["without 2", "with 2", "without 4", "with 4", "with 4", "without 4"]);
  expect(cost).toMatchObject({ pairs: 7, stepsPerStretch: 4, msWithout: 2, msWith: 2.1 });
  expect(cost.cost).toBeCloseTo(0.05, 10);
  expect(costLine(cost, "reading each loss")).toBe(
    "2.000 ms a step without reading each loss, 2.100 ms with it: 5.00 % more " +
      "(half of 7 pairs of 4 steps between 2.50 % and 10.00 %)",
  );
});
