import { describe, test } from "vitest";
import { expectClose, kernelTargets, runKernel, testNumbers } from "../testing";
import { rope } from "./rope";

const base = 10000;

/** Turn queries and keys of [tokens, 3, heads, headDim] with token t at `position(t)`. */
function turned(x: Float32Array, heads: number, headDim: number, position: (token: number) => number, sign = 1) {
  const y = x.slice();
  const half = headDim / 2;
  for (let row = 0; row < x.length / headDim; row++) {
    const token = Math.floor(row / (3 * heads));
    if (Math.floor(row / heads) % 3 === 2) continue;
    for (let i = 0; i < half; i++) {
      const angle = sign * position(token) * base ** ((-2 * i) / headDim);
      const a = x[row * headDim + i]!;
      const b = x[row * headDim + i + half]!;
      y[row * headDim + i] = a * Math.cos(angle) - b * Math.sin(angle);
      y[row * headDim + i + half] = b * Math.cos(angle) + a * Math.sin(angle);
    }
  }
  return y;
}

describe.each(kernelTargets)("rotary embedding, $name", ({ target }) => {
  test.each([
    [1, 1, 1, 2],
    [10, 5, 3, 6],
    [130, 65, 2, 32],
    [9, 3, 2, 4],
  ])("%i tokens, context %i, %i heads of %i", async (tokens, context, heads, headDim) => {
    const sizes = { tokens, context, heads, headDim, base };
    const x = testNumbers(tokens * 3 * heads * headDim);
    const forward = await runKernel(target, rope, { x, y: x.length }, { ...sizes, direction: 1 });
    expectClose(
      forward.y,
      turned(x, heads, headDim, (t) => t % context),
      2e-5,
    );
    const backward = await runKernel(target, rope, { x, y: x.length }, { ...sizes, direction: -1 });
    expectClose(
      backward.y,
      turned(x, heads, headDim, (t) => t % context, -1),
      2e-5,
    );
  });
});
