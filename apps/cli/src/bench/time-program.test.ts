import { matmul, scale, type Tensor } from "@webmoe/tensor";
import { testGpu } from "@webmoe/webgpu/testing";
import { expect, test } from "vitest";
import { random } from "./peaks";
import { medianTimes, timePrograms } from "./time-program";

test("programs are timed in as many rounds, each dispatch with its median", async () => {
  const gpu = await testGpu();
  const held = gpu.memoryUsed;
  const program = (body: (state: Record<string, Tensor>) => Tensor[]) => ({ state: { x: random([8, 8]) }, body });
  const programs = [program(({ x }) => [matmul(x!, x!)]), program(({ x }) => [scale(x!, 2)])];
  const times = await timePrograms(gpu, programs, { precision: "f32", milliseconds: 0 });
  expect(times.map((dispatches) => dispatches[0]!.flops)).toEqual([2 * 8 ** 3, 0]);
  for (const { rounds, microseconds } of times.flat()) {
    expect(rounds).toHaveLength(3);
    expect(rounds.toSorted((a, b) => a - b)[1]).toBe(microseconds);
  }
  expect(gpu.memoryUsed).toBe(held);
});

test("each dispatch of a program has the median of its own runs", () => {
  const run = (...microseconds: number[]) =>
    microseconds.map((us, start) => ({ kernel: "k", sizes: "", start, microseconds: us, flops: 0, bytes: 0 }));
  const [first, second] = medianTimes([run(1, 9), run(3, 7), run(2, 8)]);
  expect(first).toMatchObject({ microseconds: 2, rounds: [1, 3, 2], start: 0 });
  expect(second).toMatchObject({ microseconds: 8, rounds: [9, 7, 8], start: 1 });
});
