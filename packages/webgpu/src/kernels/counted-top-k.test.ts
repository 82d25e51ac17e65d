import { describe, expect, test } from "vitest";
import type { Kernel } from "../kernel";
import { expectClose, kernelTargets, runKernel, testNumbers } from "../testing";
import { balanceChunks, probabilitySums } from "./balance";
import { canCount, countedTopK } from "./counted-top-k";
import { expertCount } from "./expert-sort";
import { topKSoftmaxForward } from "./top-k";

const sizesOf = (tokens: number, experts: number) => ({ tokens, experts, groups: balanceChunks(tokens) });

describe.each(kernelTargets.slice(1, 2))("a choice that counts, $name", ({ target }) => {
  test.each([
    ["one token, one expert", 1, 1, 1],
    ["odd sizes", 77, 5, 2],
    ["one expert a token", 129, 3, 1],
    ["two chunks, the last one short", 447, 9, 2],
    ["more experts than lanes side by side", 70, 40, 4],
  ])("%s", async (_name, tokens, experts, topK) => {
    const sizes = sizesOf(tokens, experts);
    const { groups } = sizes;
    const options = { topK, renormalize: true };
    expect(canCount(sizes, options)).toBe(true);
    const assignments = tokens * topK;
    const chunks = Math.ceil(assignments / 64);
    const given = {
      logits: testNumbers(tokens * experts).map((value) => Math.round(4 * value)), // with ties
      mask: Float32Array.from({ length: tokens }, (_, t) => (t % 13 === 7 ? 0 : 1)),
      probabilities: tokens * experts,
      expert: assignments,
      weight: assignments,
    };
    const choice = await runKernel(target, topKSoftmaxForward, given, { tokens, experts }, options);
    const count = await runKernel(
      target,
      expertCount,
      { expert: choice.u32("expert"), counts: chunks * experts, rank: assignments },
      { assignments, experts, chunks },
    );
    const sums = await runKernel(
      target,
      probabilitySums,
      { p: choice.probabilities, partial: groups * 2 * experts },
      { rows: tokens, cols: experts, chunks: groups },
    );

    const kernel = countedTopK(topKSoftmaxForward as unknown as Kernel);
    const all = { ...given, counts: chunks * experts, rank: assignments, partial: groups * 2 * experts };
    const once = await runKernel(target, kernel, all, sizes, options);
    expect(once.probabilities).toEqual(choice.probabilities);
    expect(once.u32("expert")).toEqual(choice.u32("expert"));
    expect(once.weight).toEqual(choice.weight);
    expect(once.u32("counts")).toEqual(count.u32("counts"));
    expect(once.u32("rank")).toEqual(count.u32("rank"));
    expectClose(once.partial!, sums.partial);
    // The order of a sum is the same in each run.
    expect((await runKernel(target, kernel, all, sizes, options)).partial).toEqual(once.partial);
  });
});

test.each([
  ["chunks of tokens that cut a chunk of assignments", sizesOf(500, 8), 2],
  ["a number of choices that does not fill a chunk of assignments", sizesOf(64, 8), 3],
  ["more experts than there are bits for", sizesOf(64, 129), 2],
  ["more tokens than lanes", { tokens: 257, experts: 8, groups: 1 }, 1],
])("does not count %s", (_name, sizes, topK) => {
  expect(canCount(sizes, { topK })).toBe(false);
});
