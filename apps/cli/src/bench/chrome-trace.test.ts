import { expect, test } from "vitest";
import { chromeTrace } from "./chrome-trace";

const dispatch = { sizes: "m 4", flops: 8, bytes: 64 };

test("every dispatch is a bar at its time, in the row of its family", () => {
  const { traceEvents } = JSON.parse(
    chromeTrace(
      [
        { ...dispatch, kernel: "groupedMatmul", start: 0, microseconds: 10 },
        { ...dispatch, kernel: "adamw", start: 12, microseconds: 3 },
        { ...dispatch, kernel: "groupedWeightGradient", start: 15, microseconds: 5 },
      ],
      "a step",
    ),
  );
  const named = traceEvents.filter(({ ph }: { ph: string }) => ph === "M");
  expect(named.map(({ args }: { args: { name: string } }) => args.name)).toEqual(["a step", "grouped", "adamw"]);
  const bars = traceEvents.filter(({ ph }: { ph: string }) => ph === "X");
  expect(bars.map(({ name, ts, dur, tid }: Record<string, unknown>) => [name, ts, dur, tid])).toEqual([
    ["groupedMatmul", 0, 10, 0],
    ["adamw", 12, 3, 1],
    ["groupedWeightGradient", 15, 5, 0],
  ]);
  expect(bars[0].args).toEqual({ sizes: "m 4", flops: 8, bytes: 64 });
});
