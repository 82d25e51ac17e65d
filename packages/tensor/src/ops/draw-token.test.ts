import { expect, test } from "vitest";
import { type Tensor, u32 } from "../tensor";
import { random, valuesOf } from "../testing";
import { drawInto } from "./draw-token";

test("needs the scores of one token", async () => {
  const op = (logits: Tensor, choice: Tensor) => {
    drawInto(logits.trace.temporary(u32(1).shape, "u32", "token"), logits, choice);
    return logits;
  };
  await expect(valuesOf(op, [random([2, 5]), random([4])])).rejects.toThrow(
    "drawInto: needs one token, logits [1, V] and four numbers to choose by, got [1], [2, 5] and [4]",
  );
  await expect(valuesOf(op, [random([1, 5]), random([3])])).rejects.toThrow("got [1], [1, 5] and [3]");
});
