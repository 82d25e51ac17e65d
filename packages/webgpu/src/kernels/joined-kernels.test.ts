import { describe, expect, test } from "vitest";
import type { Kernel } from "../kernel";
import { expectClose, kernelTargets, runKernel, testNumbers } from "../testing";
import { balanceBackward } from "./balance";
import { combine } from "./expert-combine";
import { JOINS, joined } from "./joined-kernels";
import { addRmsNormForward } from "./rms-norm";
import { topKSoftmaxBackward, topKSoftmaxForward } from "./top-k";

const none = 0xffffffff;
const [ofExperts, ofBalance] = JOINS as [(typeof JOINS)[0], (typeof JOINS)[0]];

describe.each(kernelTargets.slice(1))("joined kernels, $name", ({ target }) => {
  test.each([
    ["one row", 1, 1, 4],
    ["columns that vectors do not fit", 9, 3, 7],
    ["a row of fewer vectors than lanes", 33, 2, 128],
    ["a row of more vectors than lanes", 5, 2, 600],
  ])("the norm of a residual stream with experts' rows added: %s", async (_name, tokens, topK, dim) => {
    const rows = tokens * topK + 3;
    const slot = Uint32Array.from({ length: tokens * topK }, (_, a) => (a % 7 === 4 ? none : (a * 5) % rows));
    const [y, share, x] = [testNumbers(rows * dim), testNumbers(slot.length, 2), testNumbers(tokens * dim, 3)];
    const weight = testNumbers(dim, 4);
    const { out } = await runKernel(
      target,
      combine,
      { y, slot, weight: share, out: tokens * dim },
      { tokens, topK, dim },
    );
    const written = { sum: tokens * dim, y: tokens * dim, inverse: tokens };
    const sizes = { rows: tokens, cols: dim, eps: 1e-5 };
    const expected = await runKernel(target, addRmsNormForward, { x, branch: out, weight, ...written }, sizes);
    const kernel = joined(ofExperts, addRmsNormForward as Kernel, combine as Kernel);
    const given = { x, weight, ...written, rows: y, slot, share };
    const actual = await runKernel(target, kernel, given, { ...sizes, topK });
    for (const name of ["sum", "y", "inverse"] as const) expectClose(actual[name]!, expected[name]);
  });

  test.each([
    [1, 1, 1],
    [67, 5, 2],
    [130, 33, 4],
  ])("the gradient of the logits of %i tokens for %i experts, top %i", async (tokens, experts, topK) => {
    const options = { topK, renormalize: true };
    const sizes = { tokens, experts };
    const chosen = await runKernel(
      target,
      topKSoftmaxForward,
      {
        logits: testNumbers(tokens * experts),
        mask: Float32Array.from({ length: tokens }, (_, t) => (t % 5 === 3 ? 0 : 1)),
        probabilities: tokens * experts,
        expert: tokens * topK,
        weight: tokens * topK,
      },
      sizes,
      options,
    );
    const [slope, dloss] = [testNumbers(experts, 2), Float32Array.of(0.7)];
    const expectedSlopes = Array.from({ length: tokens * experts }, (_, i) => slope[i % experts]! * dloss[0]!);
    const flowing = { slope, dloss, dprobabilities: tokens * experts };
    const { dprobabilities } = await runKernel(target, balanceBackward, flowing, { rows: tokens, cols: experts });
    expectClose(dprobabilities, expectedSlopes);

    const given = {
      probabilities: chosen.probabilities,
      expert: chosen.u32("expert"),
      weight: chosen.weight,
      dweight: testNumbers(tokens * topK, 3),
      dlogits: tokens * experts,
    };
    const expected = await runKernel(target, topKSoftmaxBackward, { ...given, dprobabilities }, sizes, options);
    const kernel = joined(ofBalance, topKSoftmaxBackward as unknown as Kernel, balanceBackward as Kernel);
    const actual = await runKernel(target, kernel, { ...given, slope, dloss }, sizes, options as never);
    expectClose(actual.dlogits!, expected.dlogits);
    expect(Object.keys(kernel.buffers)).not.toContain("dprobabilities");
  });
});
