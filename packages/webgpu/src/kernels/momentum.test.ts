import { describe, expect, test } from "vitest";
import { expectClose, kernelTargets, runKernel, testNumbers } from "../testing";
import { descend, movingAverage, nesterov, sgd } from "./momentum";

describe.each(kernelTargets)("velocities, $name", ({ target }) => {
  const coefficient = Float32Array.of(0.5);
  const lr = Float32Array.of(0.1);

  test.each([1, 63, 64, 65, 1000])("sgd of %i parameters", async (items) => {
    const [p, g, m] = [testNumbers(items), testNumbers(items, 2), testNumbers(items, 3)];
    const result = await runKernel(target, sgd, { p, g, m, lr, coefficient }, { items, momentum: 0.9, decay: 0.2 });
    const velocity = [...m].map((value, i) => 0.9 * value + 0.5 * g[i]!);
    expectClose(result.m, velocity);
    expectClose(
      result.p,
      [...p].map((value, i) => value - 0.1 * (0.2 * value + velocity[i]!)),
    );
  });

  test.each([1, 65, 256])("nesterov of %i numbers", async (items) => {
    const [g, m] = [testNumbers(items, 2), testNumbers(items, 3)];
    const result = await runKernel(target, nesterov, { g, m, coefficient, y: items }, { items, momentum: 0.95 });
    const velocity = [...m].map((value, i) => 0.95 * value + 0.5 * g[i]!);
    expectClose(result.m, velocity);
    expectClose(
      result.y,
      velocity.map((value, i) => 0.5 * g[i]! + 0.95 * value),
    );
  });

  test.each([3, 128])("a step down for %i parameters", async (items) => {
    const [p, d] = [testNumbers(items), testNumbers(items, 2)];
    const result = await runKernel(
      target,
      descend,
      { p, d, lr, coefficient },
      { items, rate: 2, decay: 0.5, factor: 3 },
    );
    expectClose(
      result.p,
      [...p].map((value, i) => value - 0.2 * (0.5 * value + 3 * d[i]!)),
    );
  });

  test("a negative coefficient changes nothing", async () => {
    const [p, g, m] = [testNumbers(64), testNumbers(64, 2), testNumbers(64, 3)];
    const skip = Float32Array.of(-1);
    const descended = await runKernel(
      target,
      sgd,
      { p, g, m, lr, coefficient: skip },
      { items: 64, momentum: 0.9, decay: 1 },
    );
    expect([descended.p, descended.m]).toEqual([p, m]);
    const moved = await runKernel(target, nesterov, { g, m, coefficient: skip, y: 64 }, { items: 64, momentum: 0.9 });
    expect(moved.m).toEqual(m);
    expect(moved.y.every((value) => Math.abs(value) === 0)).toBe(true);
    const sizes = { items: 64, rate: 1, decay: 1, factor: 1 };
    expect((await runKernel(target, descend, { p, d: g, lr, coefficient: skip }, sizes)).p).toEqual(p);
  });

  test.each([5, 256])("a moving average of %i numbers", async (items) => {
    const [y, x] = [testNumbers(items), testNumbers(items, 2)];
    const result = await runKernel(target, movingAverage, { y, x }, { items, rate: 0.25 });
    expectClose(
      result.y,
      [...y].map((value, i) => 0.75 * value + 0.25 * x[i]!),
    );
  });
});
