import { describe, expect, test } from "vitest";
import { expectClose, kernelTargets, runKernel, testNumbers } from "../testing";
import { adamw, adamwCorrections } from "./adamw";

describe.each(kernelTargets)("AdamW, $name", ({ target }) => {
  test.each([0.9, 0.95, 0.999])("bias corrections of beta %d", async (beta) => {
    for (const applied of [1, 2, 3, 10, 100, 12345]) {
      const buffers = { step: Uint32Array.of(applied - 1), coefficient: Float32Array.of(0.5), corrections: 2 };
      const result = await runKernel(target, adamwCorrections, buffers, {
        rate1: 0.1,
        rate2: 1 - beta,
      });
      const expected = -Math.expm1(applied * Math.log(beta));
      expect(result.u32("step")[0]).toBe(applied);
      expect(Math.abs(result.corrections[1]! / expected - 1)).toBeLessThan(2e-6);
      expect(Math.abs(result.corrections[0]! / (1 - 0.9 ** applied) - 1)).toBeLessThan(2e-6);
    }
  });

  test.each([1, 63, 64, 65, 1000])("three steps of %i parameters", async (items) => {
    const [beta1, beta2, eps, decay, clip] = [0.9, 0.95, 1e-8, 0.1, 0.5];
    let p = testNumbers(items);
    let m = new Float32Array(items);
    let v = new Float32Array(items);
    const expected = {
      p: Float64Array.from(p),
      m: new Float64Array(items),
      v: new Float64Array(items),
    };
    for (let t = 1; t <= 3; t++) {
      const lr = 0.01 / t;
      const g = testNumbers(items, t + 1);
      const corrections = Float32Array.of(1 - beta1 ** t, 1 - beta2 ** t);
      const result = await runKernel(
        target,
        adamw,
        {
          p,
          g,
          m,
          v,
          lr: Float32Array.of(lr),
          coefficient: Float32Array.of(clip),
          corrections,
        },
        { items, rate1: 1 - beta1, rate2: 1 - beta2, eps, decay },
      );
      ({ p, m, v } = result as {
        p: Float32Array<ArrayBuffer>;
        m: Float32Array<ArrayBuffer>;
        v: Float32Array<ArrayBuffer>;
      });
      for (let i = 0; i < items; i++) {
        const gradient = clip * g[i]!;
        expected.m[i] = beta1 * expected.m[i]! + (1 - beta1) * gradient;
        expected.v[i] = beta2 * expected.v[i]! + (1 - beta2) * gradient ** 2;
        const direction = expected.m[i]! / (1 - beta1 ** t) / (Math.sqrt(expected.v[i]! / (1 - beta2 ** t)) + eps);
        expected.p[i] = expected.p[i]! * (1 - lr * decay) - lr * direction;
      }
    }
    expectClose(p, expected.p, 1e-6);
    expectClose(m, expected.m, 1e-6);
    expectClose(v, expected.v, 1e-6);
  });

  test("a negative coefficient skips the step, whatever the gradient", async () => {
    const [p, m, v] = [testNumbers(5), testNumbers(5, 2), testNumbers(5, 3)];
    const coefficient = Float32Array.of(-1);
    const rates = { rate1: 0.1, rate2: 0.05 };
    const counted = { step: Uint32Array.of(7), coefficient, corrections: 2 };
    expect((await runKernel(target, adamwCorrections, counted, rates)).u32("step")[0]).toBe(7);
    const g = new Float32Array(5).fill(Number.NaN);
    const given = { p, g, m, v, lr: Float32Array.of(1), coefficient, corrections: Float32Array.of(1, 1) };
    const result = await runKernel(target, adamw, given, { items: 5, ...rates, eps: 1e-8, decay: 0.1 });
    expect([result.p, result.m, result.v]).toEqual([p, m, v]);
  });
});
