import { expect, test } from "vitest";
import type { Tensor } from "../tensor";
import { checkGradient, random, valuesOf } from "../testing";
import { assignmentLinear, assignmentSum } from "./assignment-products";
import { add } from "./elementwise";
import { sum } from "./reduce";

const expert = { shape: [4], data: Uint32Array.of(0, 1, 1, 0) };

test("a weight of another form is an error", async () => {
  const linear = (x: Tensor, weight: Tensor, expert: Tensor<"u32">) => assignmentLinear(x, weight, expert);
  await expect(valuesOf(linear, [random([2, 3]), random([2, 5, 4]), expert])).rejects.toThrow(
    "assignmentLinear: needs x [tokens, in], weight [experts, out, in] and equally many experts for each token, " +
      "got [2, 3], [2, 5, 4] and 4 experts",
  );
  const gated = (x: Tensor, weight: Tensor, expert: Tensor<"u32">) => assignmentLinear(x, weight, expert, "silu");
  await expect(valuesOf(gated, [random([2, 3]), random([2, 5, 3]), expert])).rejects.toThrow("[experts, 2, out, in]");
  const total = (y: Tensor, weight: Tensor, share: Tensor, expert: Tensor<"u32">) =>
    assignmentSum(y, weight, expert, share, 2);
  await expect(valuesOf(total, [random([4, 3]), random([2, 5, 3]), random([3]), expert])).rejects.toThrow(
    "and a share for each assignment, got [4, 3], [2, 5, 3] and 3 shares",
  );
});

test("without a sorted form beside it there is no gradient", async () => {
  const op = (x: Tensor, weight: Tensor, expert: Tensor<"u32">) =>
    add(sum(x), sum(assignmentLinear(x, weight, expert)));
  await expect(checkGradient(op, [[2, 3], [2, 5, 3], expert])).rejects.toThrow("assignmentLinear has no gradient");
});
