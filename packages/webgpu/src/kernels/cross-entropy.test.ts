import { describe, expect, test } from "vitest";
import { expectClose, kernelTargets, runKernel, testNumbers } from "../testing";
import { crossEntropyBackward, crossEntropyForward, meanLoss } from "./cross-entropy";

describe.each(kernelTargets)("cross entropy, $name", ({ target }) => {
  test.each([
    [1, 1],
    [7, 3],
    [300, 5],
    [2049, 2],
    [4, 0],
  ])("the mean of %i losses, of which every one but multiples of %i is ignored", async (rows, period) => {
    const counts = (r: number) => period > 0 && r % period === 0;
    const targets = Uint32Array.from({ length: rows }, (_, r) => (counts(r) ? r : 0xffffffff));
    const loss = testNumbers(rows).map((value, r) => (counts(r) ? value + 2 : 0));
    const count = Math.max(1, targets.filter((target) => target !== 0xffffffff).length);
    const { mean, share } = await runKernel(target, meanLoss, { loss, targets, mean: 1, share: 1 }, { rows });
    expectClose(mean, [loss.reduce((a, b) => a + b, 0) / count]);
    expectClose(share, [1 / count]);
  });

  test.each([
    [1, 1],
    [5, 7],
    [70, 129],
    [3, 1000],
  ])("%i rows of %i", async (rows, cols) => {
    const logits = testNumbers(rows * cols).map((value) => 8 * value);
    const dloss = testNumbers(rows, 2);
    const targets = Uint32Array.from({ length: rows }, (_, r) => (r % 3 === 2 ? 0xffffffff : (r * 31) % cols));
    const loss = new Float32Array(rows);
    const lse = new Float32Array(rows);
    const dlogits = new Float32Array(rows * cols);
    for (let r = 0; r < rows; r++) {
      const row = logits.subarray(r * cols, (r + 1) * cols);
      lse[r] = Math.log(row.reduce((total, value) => total + Math.exp(value), 0));
      if (r % 3 === 2) continue;
      loss[r] = lse[r]! - row[targets[r]!]!;
      row.forEach((value, c) => {
        dlogits[r * cols + c] = (Math.exp(value - lse[r]!) - (c === targets[r] ? 1 : 0)) * dloss[r]!;
      });
    }
    const forward = await runKernel(
      target,
      crossEntropyForward,
      { logits, targets, loss: rows, lse: rows },
      { rows, cols },
    );
    expectClose(forward.loss, loss);
    expectClose(forward.lse, lse);
    const backward = await runKernel(
      target,
      crossEntropyBackward,
      { logits, targets, lse, dloss, dlogits: logits.length },
      { rows, cols, stride: 1 },
    );
    expectClose(backward.dlogits, dlogits);
    const alike = await runKernel(
      target,
      crossEntropyBackward,
      { logits, targets, lse, dloss: Float32Array.of(0.5), dlogits: logits.length },
      { rows, cols, stride: 0 },
    );
    expectClose(
      alike.dlogits,
      dlogits.map((value, i) => (0.5 * value) / dloss[Math.floor(i / cols)]!),
      1e-4,
    );
  });

  test("large logits do not overflow", async () => {
    const logits = Float32Array.of(1e4, -1e4, 0);
    const buffers = { logits, targets: Uint32Array.of(0), loss: 1, lse: 1 };
    const { loss } = await runKernel(target, crossEntropyForward, buffers, {
      rows: 1,
      cols: 3,
    });
    expect(loss[0]).toBe(0);
  });
});
