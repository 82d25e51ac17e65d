import { testGpu } from "@webmoe/webgpu/testing";
import { expect, test } from "vitest";
import { evaluate } from "../compile";
import { evenExperts, expertLoad, withinCapacity } from "./expert-capacity";

const NONE = 0xffffffff;
const expert = { shape: [6], data: Uint32Array.of(1, 0, 1, NONE, 1, 0) };
const weight = { shape: [6], data: Float32Array.of(0.2, 0.5, 0.9, 0, 0.4, 0.5) };

test("a full expert drops what comes last, or what weighs least", async () => {
  const { last, lowest, load } = await evaluate(await testGpu(), { expert, weight }, ({ expert, weight }) => ({
    last: withinCapacity(expert, weight, { capacity: 1, drop: "last" }),
    lowest: withinCapacity(expert, weight, { capacity: 1, drop: "lowest" }),
    load: expertLoad(expert, 3),
  }));
  expect([...last]).toEqual([1, 0, NONE, NONE, NONE, NONE]);
  expect([...lowest]).toEqual([NONE, 0, 1, NONE, NONE, NONE]);
  expect([...load]).toEqual([2, 3, 0]);
});

test("even experts go round", async () => {
  const mask = { shape: [3], data: Float32Array.of(1, 0, 1) };
  const { column, expert } = await evaluate(await testGpu(), { mask }, ({ mask }) => evenExperts(mask, 4, 2));
  expect([...column]).toEqual([0, 1, 2, 3, 0, 1]);
  expect([...expert]).toEqual([0, 1, NONE, NONE, 0, 1]);
});

test("room for nothing is refused", async () => {
  const nothing = evaluate(await testGpu(), { expert, weight }, ({ expert, weight }) =>
    withinCapacity(expert, weight, { capacity: 0, drop: "last" }),
  );
  await expect(nothing).rejects.toThrow("withinCapacity: needs a weight for each assignment and room for one at least");
});
