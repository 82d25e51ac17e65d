import { describe, expect, test } from "vitest";
import { expectClose, kernelTargets, runKernel, testNumbers } from "../testing";
import { takeColumnsBackward, takeColumnsForward, topKColumns, topKSoftmaxBackward, topKSoftmaxForward } from "./top-k";

const NONE = 0xffffffff;

/** Forward values, and dlogits for given gradients, of one row. */
function rowOf(logits: number[], topK: number, renormalize: boolean, dprobabilities: number[], dweight: number[]) {
  const exps = logits.map((x) => Math.exp(x - Math.max(...logits)));
  const total = exps.reduce((a, b) => a + b);
  const p = exps.map((x) => x / total);
  const chosen = logits
    .map((_, e) => e)
    .sort((a, b) => logits[b]! - logits[a]! || a - b)
    .slice(0, topK);
  const kept = renormalize ? chosen.reduce((sum, e) => sum + p[e]!, 0) : 1;
  const weight = chosen.map((e) => p[e]! / kept);
  // dp: d(p_j / s) by p is (delta - w_j) / s when renormalised.
  const inner = renormalize ? weight.reduce((sum, w, j) => sum + w * dweight[j]!, 0) : 0;
  const g = dprobabilities.slice();
  chosen.forEach((e, j) => {
    g[e]! += (dweight[j]! - inner) / kept;
  });
  const product = g.reduce((sum, value, e) => sum + value * p[e]!, 0);
  return { p, chosen, weight, dlogits: p.map((p, e) => p * (g[e]! - product)) };
}

describe.each(kernelTargets.slice(0, 2))("topKSoftmax, $name", ({ target }) => {
  test.each([
    [1, 1, 1, true],
    [5, 4, 2, true],
    [67, 9, 3, false],
    [3, 3, 3, true],
  ])("%i tokens, %i experts, top %i, renormalize %s", async (tokens, experts, topK, renormalize) => {
    const logits = testNumbers(tokens * experts).map((x) => 3 * x);
    const [dprobabilities, dweight] = [testNumbers(tokens * experts, 2), testNumbers(tokens * topK, 3)];
    const mask = Float32Array.from({ length: tokens }, (_, t) => (t % 4 === 2 ? 0 : 1));
    const expected = { p: [] as number[], chosen: [] as number[], weight: [] as number[], dlogits: [] as number[] };
    for (let t = 0; t < tokens; t++) {
      const slice = (of: Float32Array, cols: number) => [...of.subarray(t * cols, (t + 1) * cols)];
      const row =
        mask[t] === 0
          ? {
              p: Array(experts).fill(0),
              chosen: Array(topK).fill(NONE),
              weight: Array(topK).fill(0),
              dlogits: Array(experts).fill(0),
            }
          : rowOf(slice(logits, experts), topK, renormalize, slice(dprobabilities, experts), slice(dweight, topK));
      for (const name of ["p", "chosen", "weight", "dlogits"] as const) expected[name].push(...row[name]);
    }
    const sizes = { tokens, experts };
    const options = { topK, renormalize };
    const forward = await runKernel(
      target,
      topKSoftmaxForward,
      { logits, mask, probabilities: tokens * experts, expert: tokens * topK, weight: tokens * topK },
      sizes,
      options,
    );
    expectClose(forward.probabilities, expected.p);
    expect([...forward.u32("expert")]).toEqual(expected.chosen);
    expectClose(forward.weight, expected.weight);
    const { dlogits } = await runKernel(
      target,
      topKSoftmaxBackward,
      {
        probabilities: forward.probabilities,
        expert: forward.u32("expert"),
        weight: forward.weight,
        dprobabilities,
        dweight,
        dlogits: tokens * experts,
      },
      sizes,
      options,
    );
    expectClose(dlogits, expected.dlogits);
  });

  test("ties go to the lower expert, huge and equal scores included", async () => {
    const logits = Float32Array.of(0, 7, 7, 7, 1e30, -1e30, 1e30, 0, -5, -5, -5, -5);
    const forward = await runKernel(
      target,
      topKSoftmaxForward,
      { logits, mask: new Float32Array(3).fill(1), probabilities: 12, expert: 6, weight: 6 },
      { tokens: 3, experts: 4 },
      { topK: 2, renormalize: true },
    );
    expect([...forward.u32("expert")]).toEqual([1, 2, 0, 2, 0, 1]);
    expectClose(forward.weight, Array(6).fill(0.5));
  });

  test.each([true, false])(
    "scores of -inf rule experts out; too few left make no numbers, renormalize %s",
    async (renormalize) => {
      const no = Number.NEGATIVE_INFINITY;
      const logits = Float32Array.of(no, 0, no, 0, no, no, 1, no, no, no, no, no, no, no, no, no);
      const forward = await runKernel(
        target,
        topKSoftmaxForward,
        { logits, mask: Float32Array.of(1, 1, 1, 0), probabilities: 16, expert: 8, weight: 8 },
        { tokens: 4, experts: 4 },
        { topK: 2, renormalize },
      );
      expectClose(forward.probabilities.subarray(0, 8), [0, 0.5, 0, 0.5, 0, 0, 1, 0]);
      expect([...forward.u32("expert")]).toEqual([1, 3, 2, 0, 0, 1, NONE, NONE]);
      const numbers = [...forward.weight].map((weight) => (Number.isNaN(weight) ? "no number" : weight));
      const alone = renormalize ? "no number" : 1;
      expect(numbers).toEqual([0.5, 0.5, alone, "no number", "no number", "no number", 0, 0]);
    },
  );
});

describe.each(kernelTargets.slice(0, 2))("topK and takeColumns, $name", ({ target }) => {
  test.each([
    [1, 1, 1],
    [5, 4, 2],
    [67, 9, 9],
  ])("%i rows, %i columns, top %i", async (rows, cols, topK) => {
    const x = testNumbers(rows * cols).map((value) => Math.round(4 * value)); // with ties
    const rowsOf = Array.from({ length: rows }, (_, r) => [...x.subarray(r * cols, (r + 1) * cols)]);
    const expected = rowsOf.flatMap((row) =>
      row
        .map((_, c) => c)
        .sort((a, b) => row[b]! - row[a]! || a - b)
        .slice(0, topK),
    );
    const { u32 } = await runKernel(target, topKColumns, { x, index: rows * topK }, { rows, cols }, { topK });
    const index = u32("index");
    expect([...index]).toEqual(expected);

    const sizes = { rows, cols, taken: topK };
    const at = (item: number) => Math.floor(item / topK) * cols + expected[item]!;
    const { y } = await runKernel(target, takeColumnsForward, { x, index, y: index.length }, sizes);
    expectClose(
      y,
      expected.map((_, item) => x[at(item)]!),
    );
    const dy = testNumbers(index.length, 2);
    const dx = new Float32Array(rows * cols);
    dy.forEach((value, item) => {
      dx[at(item)]! += value;
    });
    expectClose((await runKernel(target, takeColumnsBackward, { index, dy, dx: dx.length }, sizes)).dx, dx);
  });

  test("a column of -inf is none, and none is no number and has no gradient", async () => {
    const x = Float32Array.of(3, Number.NEGATIVE_INFINITY, 5);
    const { u32 } = await runKernel(target, topKColumns, { x, index: 3 }, { rows: 1, cols: 3 }, { topK: 3 });
    const index = u32("index");
    expect([...index]).toEqual([2, 0, NONE]);
    const sizes = { rows: 1, cols: 3, taken: 3 };
    expect([...(await runKernel(target, takeColumnsForward, { x, index, y: 3 }, sizes)).y]).toEqual([5, 3, Number.NaN]);
    const given = { index, dy: Float32Array.of(1, 10, 100), dx: 3 };
    expectClose((await runKernel(target, takeColumnsBackward, given, sizes)).dx, [10, 0, 1]);
  });

  test("the gradient of a column that is taken twice is a sum", async () => {
    const sizes = { rows: 1, cols: 2, taken: 3 };
    const given = { index: Uint32Array.of(1, 0, 1), dy: Float32Array.of(1, 10, 100), dx: 2 };
    expectClose((await runKernel(target, takeColumnsBackward, given, sizes)).dx, [10, 101]);
  });
});
