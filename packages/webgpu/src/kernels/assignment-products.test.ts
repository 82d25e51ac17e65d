import { describe, expect, test } from "vitest";
import { expectClose, kernelTargets, runKernel, testNumbers } from "../testing";
import { assignmentGate, assignmentProduct, assignmentSum } from "./assignment-products";

/** No expert, and a number past the last, for which there would be numbers in memory. */
const none = (tokens: number, experts: number) => (tokens === 1 ? experts : 0xffffffff);
const activations = {
  silu: (g: number) => g / (1 + Math.exp(-g)),
  gelu: (g: number) => 0.5 * g * (1 + Math.tanh(0.7978845608 * (g + 0.044715 * g ** 3))),
  relu: (g: number) => Math.max(0, g),
};

describe.each(kernelTargets)("experts of a few tokens, $name", ({ target }) => {
  test.each([
    [1, 2, 3, 1, 1],
    [1, 2, 5, 9, 132],
    [3, 1, 4, 6, 7],
    [2, 3, 4, 5, 64],
  ])("%i tokens to %i of %i experts, out %i, in %i", async (tokens, each, experts, out, inner) => {
    const sizes = { tokens, each, experts, out, in: inner };
    const expert = Uint32Array.from({ length: tokens * each }, (_, a) =>
      a === 1 ? none(tokens, experts) : (a * 3 + 2) % experts,
    );
    const rows = expert.length;
    const x = testNumbers(tokens * inner);
    const weight = testNumbers((experts + 1) * 2 * out * inner, 2);
    /** Row `row` of all matrices times the token of an assignment. */
    const product = (row: number, a: number) => {
      let sum = 0;
      for (let k = 0; k < inner; k++) sum += weight[row * inner + k]! * x[Math.floor(a / each) * inner + k]!;
      return sum;
    };
    const byAssignment = (value: (e: number, o: number, a: number) => number) =>
      Float32Array.from({ length: rows * out }, (_, i) => {
        const e = expert[Math.floor(i / out)]!;
        return e >= experts ? 0 : value(e, i % out, Math.floor(i / out));
      });

    const given = { x, weight, expert, y: rows * out };
    const plain = await runKernel(target, assignmentProduct, given, sizes);
    expectClose(
      plain.y,
      byAssignment((e, o, a) => product(e * out + o, a)),
    );
    for (const activation of ["silu", "gelu", "relu"] as const) {
      const { y } = await runKernel(target, assignmentGate, given, sizes, { activation });
      expectClose(
        y,
        byAssignment(
          (e, o, a) => activations[activation](product(2 * e * out + o, a)) * product((2 * e + 1) * out + o, a),
        ),
      );
    }
  });

  test.each([
    [1, 2, 3, 1, 1],
    [1, 2, 5, 9, 132],
    [3, 2, 4, 6, 7],
  ])("the sum of %i tokens' %i of %i experts, out %i, in %i", async (tokens, each, experts, out, inner) => {
    const expert = Uint32Array.from({ length: tokens * each }, (_, a) =>
      a === 1 ? none(tokens, experts) : (a * 3 + 2) % experts,
    );
    const [y, share] = [testNumbers(expert.length * inner), testNumbers(expert.length, 3)];
    const weight = testNumbers((experts + 1) * out * inner, 2);
    const expected = new Float32Array(tokens * out);
    expert.forEach((e, a) => {
      if (e >= experts) return;
      for (let o = 0; o < out; o++) {
        let sum = 0;
        for (let k = 0; k < inner; k++) sum += weight[(e * out + o) * inner + k]! * y[a * inner + k]!;
        expected[Math.floor(a / each) * out + o]! += share[a]! * sum;
      }
    });
    const given = { y, weight, expert, share, out: tokens * out };
    const result = await runKernel(target, assignmentSum, given, { tokens, each, experts, out, in: inner });
    expectClose(result.out, expected);
    expect(result.out.some((value) => value !== 0)).toBe(true);
  });
});
