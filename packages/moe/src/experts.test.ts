import { evaluate, type Tensor, tokenOfAssignment } from "@webmoe/tensor";
import { random } from "@webmoe/tensor/testing";
import { expectClose, testGpu } from "@webmoe/webgpu/testing";
import { expect, test } from "vitest";
import type { MoeConfig } from "./config";
import { mixExperts } from "./experts";

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
