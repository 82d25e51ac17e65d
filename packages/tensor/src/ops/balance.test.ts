import { expectClose } from "@webmoe/webgpu/testing";
import { expect, test } from "vitest";
import type { Tensor } from "../tensor";
import { checkGradient, random, valuesOf } from "../testing";
import { type Balance, balance } from "./balance";
import { constant } from "./formulas";

const load = { shape: [3], data: Float32Array.of(4, 0, 2) };
const tokens = { shape: [], data: Float32Array.of(5) };

test("values", async () => {
  const raw = random([5, 3]);
  const p = { ...raw, data: raw.data.map(Math.abs) };
  p.data[4] = 0;
  let [loss, entropy] = [0, 0];
  const total = [0, 0, 0];
  p.data.forEach((value, i) => {
    loss += (3 * (load.data[i % 3]! / 6) * value) / 5;
    entropy -= value > 0 ? (value * Math.log(value)) / 5 : 0;
    total[i % 3]! += value;
  });
  const part = (name: keyof Balance) =>
    valuesOf((...x: [Tensor, Tensor, Tensor]) => balance(...x)[name], [p, load, tokens]);
  expectClose(await part("loss"), [loss]);
  expectClose(await part("entropy"), [entropy]);
  expectClose(await part("total"), total);
});

test("gradient of the probabilities", () =>
  checkGradient((p) => balance(p, constant(p.trace, [4], 2.5), constant(p.trace, [], 6)).loss, [[6, 4]]));

test("a load of another number of experts is an error", async () => {
  await expect(
    valuesOf((...x: [Tensor, Tensor, Tensor]) => balance(...x).loss, [random([5, 4]), load, tokens]),
  ).rejects.toThrow("balance: needs probabilities [T, E], load [E] and a scalar, got [5, 4], [3] and []");
});
