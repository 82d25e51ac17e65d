import { expectClose, testGpu } from "@webmoe/webgpu/testing";
import { expect, test } from "vitest";
import { evaluate } from "../compile";
import { gradients } from "../gradients";
import type { Tensor } from "../tensor";
import { checkGradient, random, valuesOf } from "../testing";
import { crossEntropy, IGNORE, linearCrossEntropy } from "./cross-entropy";
import { mul } from "./elementwise";

const targets = { shape: [4], data: Uint32Array.of(2, IGNORE, 0, 4) };

test("values", async () => {
  const logits = random([4, 5]);
  const expected = Array.from(targets.data, (target, t) => {
    if (target === IGNORE) return 0;
    const row = logits.data.subarray(t * 5, t * 5 + 5);
    return Math.log(Array.from(row, Math.exp).reduce((a, b) => a + b)) - row[target]!;
  });
  expectClose(await valuesOf(crossEntropy, [logits, targets]), expected);
});

test("gradient, with an ignored target", () => checkGradient(crossEntropy, [[4, 5], targets]));

test("the fused head is the mean over targets that are not ignored, 0 where there are none", async () => {
  const logits = random([4, 5]);
  const identity = { shape: [5, 5], data: Float32Array.from({ length: 25 }, (_, i) => (i % 6 === 0 ? 1 : 0)) };
  const head = (x: Tensor, weight: Tensor, targets: Tensor<"u32">) => linearCrossEntropy(x, weight, targets);
  const losses = await valuesOf(crossEntropy, [logits, targets]);
  expectClose(await valuesOf(head, [logits, identity, targets]), [losses.reduce((a, b) => a + b) / 3]);
  const none = { shape: [4], data: new Uint32Array(4).fill(IGNORE) };
  expect([...(await valuesOf(head, [logits, identity, none]))]).toEqual([0]);
});

test("gradient of the fused head in one chunk", () =>
  checkGradient((x, weight, targets) => linearCrossEntropy(x, weight, targets), [[4, 3], [5, 3], targets]));

test("chunks of tokens give what all tokens at once give", async () => {
  const [rows, vocab, dim] = [130, 5, 3];
  const inputs = {
    x: random([rows, dim]),
    weight: random([vocab, dim], 2),
    factor: random([], 3),
    targets: {
      shape: [rows],
      data: Uint32Array.from({ length: rows }, (_, t) => (t % 11 === 0 ? IGNORE : (t * 7) % vocab)),
    },
  };
  const step = (head: (x: Tensor, weight: Tensor, targets: Tensor<"u32">) => Tensor) =>
    testGpu().then((gpu) =>
      evaluate(gpu, inputs, ({ x, weight, targets, factor }) => {
        const loss = head(x, weight, targets);
        return { loss, ...gradients(mul(loss, factor), { x, weight }) };
      }),
    );
  let chunks = 0;
  const chunked = await step((x, weight, targets) => {
    const loss = linearCrossEntropy(x, weight, targets, { maxLogits: 64 * vocab });
    chunks = x.trace.recording.dispatches.filter(({ kernel }) => kernel.name === "crossEntropyForward").length;
    return loss;
  });
  const whole = await step((x, weight, targets) => linearCrossEntropy(x, weight, targets));
  expect(chunks).toBe(3); // 64, 64 and 2 rows
  expectClose(chunked.loss, whole.loss);
  expectClose(chunked.x, whole.x);
  expectClose(chunked.weight, whole.weight);
});

test("targets of another length are an error", async () => {
  await expect(valuesOf(crossEntropy, [random([3, 5]), targets])).rejects.toThrow(
    "crossEntropy: needs logits [T, V] and u32 targets [T], got [3, 5] and u32[4]",
  );
});
