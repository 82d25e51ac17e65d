import { expect, test } from "vitest";
import { checkGradient, random, valuesOf } from "../testing";
import { gated } from "./gated";

test.each(["silu", "gelu", "relu"] as const)("gradients of %s", (activation) =>
  checkGradient((x) => gated(x, activation), [[3, 8]], { low: 0.2, high: 2 }),
);

test("an odd width is an error", async () => {
  await expect(valuesOf((x) => gated(x), [random([2, 3])])).rejects.toThrow(
    "gated: needs x [rows, 2 * hidden], got [2, 3]",
  );
});
