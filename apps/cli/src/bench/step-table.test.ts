import { expect, test } from "vitest";
import { type StepRow, stepTable } from "./step-table";

const row = (label: string, rounds: number[]) =>
  ({
    ...{ label, rounds, msPerStep: rounds[0], tokensPerSecond: 1000, dispatches: 9, submits: 1, pipelines: 3 },
    ...{ planBytes: 2 ** 20, firstStepMs: 500 },
  }) as StepRow;

test("configurations that were timed in turns stand beside the first, round by round", () => {
  // The clock falls by half after the first round.
  const rows = [row("a", [1, 2, 2]), row("b", [1.5, 3, 3])];
  const lines = stepTable(rows, true).split("\n");
  expect(lines[0]).toMatch(/^configuration +ms +beside the first +tokens\/s/);
  expect(lines[2]).toMatch(/^b +1\.50 +1\.500x +1k/);
  expect(stepTable(rows)).not.toContain("beside");
});
