import { expectClose, testGpu } from "@webmoe/webgpu/testing";
import { expect, test } from "vitest";
import { evaluate } from "./compile";
import { scale } from "./ops/elementwise";
import { matmul } from "./ops/matmul";
import { stackRows } from "./stack-rows";
import type { Tensor } from "./tensor";
import { random } from "./testing";

/** What `body` makes of x, and how many copies the program takes for it. */
async function stacked(x: ReturnType<typeof random>, body: (x: Tensor) => Tensor) {
  let copies = 0;
  const { y } = await evaluate(await testGpu(), { x }, ({ x }) => {
    const y = body(x);
    copies = x.trace.recording.dispatches.filter(({ kernel }) => kernel.name === "copyTo").length;
    return { y };
  });
  return { y, copies };
}

const times = ({ data }: { data: Float32Array }, ...factors: number[]) =>
  factors.flatMap((factor) => [...data.map((value) => value * factor)]);

test("kernels write to their place in the whole", async () => {
  const x = random([4, 16]); // 256 bytes
  const { y, copies } = await stacked(x, (x) => stackRows([scale(x, 2), scale(x, -1), scale(x, 3)]));
  expectClose(y, times(x, 2, -1, 3));
  expect(copies).toBe(0);
});

test("what lies under one another already stays where it is", async () => {
  const x = random([4, 16]);
  const { y, copies } = await stacked(x, (x) => {
    const parts = [scale(x, 2), scale(x, -1)];
    const [first, second] = [stackRows(parts), stackRows(parts)];
    expect(second.slice).toEqual(first.slice);
    return second;
  });
  expectClose(y, times(x, 2, -1));
  expect(copies).toBe(0);
});

test("inputs, and places off a multiple of 256 bytes, are copied", async () => {
  const x = random([3, 5]);
  const { y, copies } = await stacked(x, (x) => stackRows([scale(x, 2), scale(x, -1), x]));
  expectClose(y, times(x, 2, -1, 1));
  expect(copies).toBe(2);
});

test("a tensor that is there twice is copied", async () => {
  const x = random([4, 16]);
  const { y, copies } = await stacked(x, (x) => {
    const twice = scale(x, 2);
    return stackRows([twice, scale(x, -1), twice]);
  });
  expectClose(y, times(x, 2, -1, 2));
  expect(copies).toBe(2);
});

test("no kernel is made to read and write one memory", async () => {
  const x = random([64, 64]);
  const unit = (x: Tensor) => scale(x, 0.5);
  const { y, copies } = await stacked(x, (x) => {
    const first = unit(x);
    const second = unit(first);
    return stackRows([first, second, unit(second)]);
  });
  expectClose(y, times(x, 0.5, 0.25, 0.125));
  expect(copies).toBe(1);
});

test("kernels that come later read from there", async () => {
  const x = random([64, 64]);
  const { y } = await stacked(x, (x) => {
    const [a, b] = [scale(x, 2), scale(x, 3)];
    stackRows([a, b]);
    return matmul(a, b);
  });
  const product = Array.from({ length: 64 * 64 }, (_, i) => {
    let total = 0;
    for (let k = 0; k < 64; k++) total += 6 * x.data[Math.floor(i / 64) * 64 + k]! * x.data[k * 64 + (i % 64)]!;
    return total;
  });
  expectClose(y, product);
});
