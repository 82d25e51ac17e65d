import { expectClose, testGpu } from "@webmoe/webgpu/testing";
import { expect, test } from "vitest";
import { evaluate } from "../compile";
import type { Tensor } from "../tensor";
import { checkGradient, random, valuesOf } from "../testing";
import { combineExperts, expertLinear, groupByExpert, tokenOfAssignment } from "./experts";

const NONE = 0xffffffff;
// Four tokens, two assignments each; expert 1 has none, one assignment goes nowhere.
const expert = { shape: [8], data: Uint32Array.of(2, 0, 2, 3, NONE, 2, 0, 2) };
const [experts, tokens] = [4, 4];

const groups = (x: Tensor, expert: Tensor<"u32">) => groupByExpert(tokenOfAssignment(x, 2), expert, experts);

test("gradients of expertLinear on tokens, through combineExperts", () =>
  checkGradient(
    (x, weight, share, expert) => {
      const g = groups(x, expert);
      return combineExperts(expertLinear(x, weight, g, { gather: true }), share, g, tokens);
    },
    [[tokens, 3], [experts, 2, 3], [8], expert],
  ));

test("gradients of two expertLinear in a row", () =>
  checkGradient(
    (x, up, down, share, expert) => {
      const g = groups(x, expert);
      const inner = expertLinear(x, up, g, { gather: true });
      return combineExperts(expertLinear(inner, down, g), share, g, tokens);
    },
    [[tokens, 2], [experts, 3, 2], [experts, 2, 3], [8], expert],
  ));

test("values are those of a loop over assignments", async () => {
  const [x, weight, share] = [random([tokens, 3]), random([experts, 2, 3], 2), random([8], 3)];
  const expected = new Float32Array(tokens * 2);
  expert.data.forEach((e, a) => {
    if (e === NONE) return;
    const t = Math.floor(a / 2);
    for (let o = 0; o < 2; o++) {
      let product = 0;
      for (let i = 0; i < 3; i++) product += weight.data[(e * 2 + o) * 3 + i]! * x.data[t * 3 + i]!;
      expected[t * 2 + o]! += share.data[a]! * product;
    }
  });
  const y = await valuesOf(
    (x, weight, share, expert) => {
      const g = groups(x, expert);
      return combineExperts(expertLinear(x, weight, g, { gather: true }), share, g, tokens);
    },
    [x, weight, share, expert],
  );
  expectClose(y, expected);
});

test("load counts the assignments of every expert", async () => {
  const { load, slot } = await evaluate(await testGpu(), { x: random([tokens, 1]), expert }, ({ x, expert }) => {
    const { load, slot } = groups(x, expert);
    return { load, slot };
  });
  expect([...load]).toEqual([2, 0, 4, 1]);
  expect(slot[4]).toBe(NONE);
  expect(slot[2]! - slot[0]!).toBe(1); // stable: the earlier assignment comes first
  expect(slot[5]! - slot[0]!).toBe(2);
});

test("weights of another number of experts are an error", async () => {
  const op = (x: Tensor, weight: Tensor, expert: Tensor<"u32">) => expertLinear(x, weight, groups(x, expert));
  await expect(valuesOf(op, [random([tokens, 3]), random([3, 2, 3]), expert])).rejects.toThrow(
    "expertLinear: needs x [rows, in] and weight [4, out, in], got [4, 3] and [3, 2, 3]",
  );
});
