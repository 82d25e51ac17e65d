import { describe, expect, test } from "vitest";
import { expectClose, kernelTargets, runKernel, testNumbers } from "../testing";
import { dropout, randomNormal, randomUniform } from "./random";

/** threefry2x32 of counter (i, 0), written out for one key. */
function block(key: Uint32Array, i: number): [number, number] {
  const keys = [key[0]!, key[1]!, key[0]! ^ key[1]! ^ 0x1bd11bda];
  const rotations = [13, 15, 26, 6, 17, 29, 16, 24];
  let a = (i + keys[0]!) >>> 0;
  let b = keys[1]!;
  for (let round = 0; round < 20; round++) {
    const rotation = rotations[round % 8]!;
    a = (a + b) >>> 0;
    b = (((b << rotation) | (b >>> (32 - rotation))) ^ a) >>> 0;
    if (round % 4 === 3) {
      const injection = (round + 1) / 4;
      a = (a + keys[injection % 3]!) >>> 0;
      b = (b + keys[(injection + 1) % 3]! + injection) >>> 0;
    }
  }
  return [a, b];
}

function uniforms(key: Uint32Array, items: number): Float32Array {
  return Float32Array.from({ length: items }, (_, i) => (block(key, i >> 1)[i % 2]! >>> 8) * 2 ** -24);
}

describe.each(kernelTargets)("random numbers, $name", ({ target }) => {
  test("the first block of key 0 is the known answer", async () => {
    const key = Uint32Array.of(0, 0);
    const { y } = await runKernel(target, randomUniform, { key, y: 2 }, { items: 2, low: 0, high: 1 });
    expect([...y]).toEqual([(0x6b200159 >>> 8) * 2 ** -24, (0x99ba4efe >>> 8) * 2 ** -24]);
  });

  test.each([1, 2, 127, 129, 1000])("%i elements", async (items) => {
    const key = Uint32Array.of(0x13198a2e, 0xf3707344);
    const u = uniforms(key, items + (items % 2));
    const uniform = await runKernel(target, randomUniform, { key, y: items }, { items, low: 0, high: 1 });
    expectClose(uniform.y, u.slice(0, items), 0);
    const ranged = await runKernel(target, randomUniform, { key, y: items }, { items, low: -3, high: 2 });
    expectClose(
      ranged.y,
      u.slice(0, items).map((value) => -3 + 5 * value),
      1e-6,
    );
    const normal = await runKernel(target, randomNormal, { key, y: items }, { items, deviation: 0.5 });
    const expected = Float32Array.from({ length: items }, (_, i) => {
      const radius = 0.5 * Math.sqrt(-2 * Math.log(1 - u[i - (i % 2)]!));
      const angle = 2 * Math.PI * (u[i - (i % 2) + 1]! - 0.5);
      return radius * (i % 2 ? Math.sin(angle) : Math.cos(angle));
    });
    expectClose(normal.y, expected, 1e-5);
    const x = testNumbers(items, 4);
    const dropped = await runKernel(target, dropout, { key, x, y: items }, { items, rate: 0.3 });
    expectClose(
      dropped.y,
      x.map((value, i) => (u[i]! < 0.3 ? 0 : value / 0.7)),
      1e-6,
    );
  });
});
