import { expectClose } from "@webmoe/webgpu/testing";
import { expect, test } from "vitest";
import { checkGradient, random, valuesOf } from "../testing";
import { balance } from "./balance";
import { constant } from "./formulas";

const load = { shape: [3], data: Float32Array.of(4, 0, 2) };
const tokens = { shape: [], data: Float32Array.of(5) };

test("values", async () => {
  const p = random([5, 3]);
  let expected = 0;
  p.data.forEach((value, i) => {
    expected += (3 * (load.data[i % 3]! / 6) * value) / 5;
  });
  expectClose(await valuesOf(balance, [p, load, tokens]), [expected]);
});

test("gradient of the probabilities", () =>
  checkGradient((p) => balance(p, constant(p.trace, [4], 2.5), constant(p.trace, [], 6)), [[6, 4]]));

test("a load of another number of experts is an error", async () => {
  await expect(valuesOf(balance, [random([5, 4]), load, tokens])).rejects.toThrow(
    "balance: needs probabilities [T, E], load [E] and a scalar, got [5, 4], [3] and []",
  );
});
