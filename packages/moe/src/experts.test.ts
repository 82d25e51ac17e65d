import { evaluate, key, type Tensor, tokenOfAssignment } from "@webmoe/tensor";
import { checkGradient, random, valuesOf } from "@webmoe/tensor/testing";
import { expectClose, testGpu } from "@webmoe/webgpu/testing";
import { describe, expect, test } from "vitest";
import type { MoeConfig } from "./config";
import { mixExperts, runSharedExperts } from "./experts";

const [experts, dim, hidden, topK] = [4, 5, 3, 2];
const NONE = 0xffffffff;

/** The mix of tokens `times` over, and the loads. */
async function mixed(activation: MoeConfig["activation"], times: number) {
  const one = { x: random([4, dim]), expert: [2, 0, 3, NONE, 1, 2, NONE, NONE], weight: random([8], 2) };
  const plain = activation === "gelu" || activation === "relu";
  const repeat = <A>(values: ArrayLike<A>) => Array.from({ length: times }, () => Array.from(values)).flat();
  const inputs = {
    x: { shape: [4 * times, dim], data: Float32Array.from(repeat(one.x.data)) },
    expert: { shape: [8 * times], data: Uint32Array.from(repeat(one.expert)) },
    weight: { shape: [8 * times], data: Float32Array.from(repeat(one.weight.data)) },
    first: plain ? random([experts, hidden, dim], 3) : random([experts, 2, hidden, dim], 3),
    down: random([experts, dim, hidden], 4),
  };
  return evaluate(await testGpu(), inputs, ({ x, expert, weight, first, down }) => {
    const selection = { token: tokenOfAssignment(x, topK), expert: expert as Tensor<"u32">, weight, probabilities: x };
    const parameters = { ...(plain ? { up: first } : { gateUp: first }), down };
    return mixExperts(x, parameters, selection, { experts, topK, hidden, activation });
  });
}

test.each(["swiglu", "geglu", "reglu", "gelu", "relu"] as const)(
  "%s: few tokens get from their experts what they get among more",
  async (activation) => {
    const [few, more] = [await mixed(activation, 1), await mixed(activation, 3)];
    expect([...few.load]).toEqual([1, 1, 2, 1]);
    expect([...more.load]).toEqual([3, 3, 6, 3]);
    for (const from of [0, 4 * dim, 8 * dim]) expectClose(few.y, more.y.subarray(from, from + 4 * dim));
    expect([...few.y.subarray(3 * dim)]).toEqual(Array(dim).fill(0));
    expect(few.y.subarray(0, 3 * dim).every((value) => value !== 0)).toBe(true);
  },
);

describe("dropout on hidden units", () => {
  const tokens = 6;
  const rate = 0.5;
  const words = (seed: number) => ({ shape: [2], data: Uint32Array.from(key(seed)) });
  const expert = { shape: [2 * tokens], data: Uint32Array.from({ length: 2 * tokens }, (_, i) => (3 * i) % experts) };
  const config = { experts, topK, hidden, activation: "swiglu" } as const;
  const shapes = [[tokens, dim], [2 * tokens], [experts, 2, hidden, dim], [experts, dim, hidden]] as const;
  const mix = (
    x: Tensor,
    weight: Tensor,
    gateUp: Tensor,
    down: Tensor,
    key?: Tensor<"u32">,
    chosen?: Tensor<"u32">,
  ) => {
    const selection = { token: tokenOfAssignment(x, topK), expert: chosen!, weight, probabilities: x };
    return mixExperts(x, { gateUp, down }, selection, config, key && { key, rate }).y;
  };
  const dropped = (x: Tensor, w: Tensor, g: Tensor, d: Tensor, k: Tensor<"u32">, e: Tensor<"u32">) =>
    mix(x, w, g, d, k, e);
  const plain = (x: Tensor, w: Tensor, g: Tensor, d: Tensor, e: Tensor<"u32">) => mix(x, w, g, d, undefined, e);

  test("has the gradient of one mask", async () => {
    await checkGradient(dropped, [...shapes, words(3), expert]);
    const shared = (x: Tensor, gateUp: Tensor, down: Tensor, key: Tensor<"u32">) =>
      runSharedExperts(x, { gateUp, down }, "swiglu", { key, rate });
    await checkGradient(shared, [[tokens, dim], [2, hidden, dim], [dim, hidden], words(3)]);
  });

  test("keeps the expectation, and one key drops the same", async () => {
    const [x, w, g, d] = shapes;
    const given = [random(x, 1), random(w, 2), random(g, 3), random(d, 4)] as const;
    const expected = await valuesOf(plain, [...given, expert]);
    const mean = new Float64Array(expected.length);
    const runs = 200;
    for (let seed = 0; seed < runs; seed++) {
      const y = await valuesOf(dropped, [...given, words(seed), expert]);
      y.forEach((value, i) => {
        mean[i]! += value / runs;
      });
    }
    const size = Math.max(...expected.map(Math.abs));
    for (const [i, value] of mean.entries()) expect(Math.abs(value - expected[i]!) / size).toBeLessThan(0.2);
    const once = await valuesOf(dropped, [...given, words(1), expert]);
    expect(once).not.toEqual(expected);
    expect(await valuesOf(dropped, [...given, words(1), expert])).toEqual(once);
  });
});
