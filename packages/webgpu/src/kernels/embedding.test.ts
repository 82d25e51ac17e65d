import { describe, test } from "vitest";
import { expectClose, kernelTargets, runKernel, testNumbers } from "../testing";
import { embeddingForward, embeddingGradient, embeddingGradientOfTokens } from "./embedding";

describe.each(kernelTargets)("embedding, $name", ({ target }) => {
  test.each([
    [1, 1, 1],
    [5, 3, 7],
    [70, 1030, 9],
    [9, 4, 200],
    [40, 2100, 24],
    [5000, 300, 12],
  ])("vocabulary of %i, %i tokens, %i columns", async (vocab, count, cols) => {
    const weight = testNumbers(vocab * cols);
    const dy = testNumbers(count * cols, 2);
    // The last entries never occur, the first one often.
    const tokens = Uint32Array.from({ length: count }, (_, t) => Math.max(0, ((t * 37) % vocab) - 2));
    const y = new Float32Array(count * cols);
    const dweight = new Float64Array(vocab * cols);
    tokens.forEach((token, t) => {
      for (let c = 0; c < cols; c++) {
        y[t * cols + c] = weight[token * cols + c]!;
        dweight[token * cols + c]! += dy[t * cols + c]!;
      }
    });
    const forward = await runKernel(target, embeddingForward, { weight, tokens, y: y.length }, { tokens: count, cols });
    expectClose(forward.y, y, 0);
    const backward = await runKernel(
      target,
      embeddingGradient,
      { tokens, dy, dweight: weight.length },
      { vocab, tokens: count, cols },
    );
    expectClose(backward.dweight, dweight);
    const onZeros = await runKernel(
      target,
      embeddingGradientOfTokens,
      { tokens, dy, dweight: new Float32Array(weight.length) },
      { vocab, tokens: count, cols },
    );
    expectClose(onZeros.dweight, dweight);
  });
});
