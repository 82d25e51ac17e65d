import { describe, expect, test } from "vitest";
import { expectClose, kernelTargets, runKernel, testNumbers } from "../testing";
import { packHalves } from "./pack-halves";

describe.each(kernelTargets.slice(0, 2))("packing halves, $name", ({ target }) => {
  test.each([1, 4, 7, 64, 1000])("%i pairs", async (items) => {
    const x = testNumbers(2 * items);
    const result = await runKernel(target, packHalves, { x, y: items }, { items });
    const unpacked = Float32Array.from(x, (_, i) => half((result.u32("y")[i >> 1]! >> (16 * (i & 1))) & 0xffff));
    expectClose(unpacked, x, 1e-3);
  });

  test("what f16 holds is kept", async () => {
    const x = Float32Array.of(0, 1, -2.5, 65504, 2 ** -14, -0.25, 1024, 3);
    const result = await runKernel(target, packHalves, { x, y: 4 }, { items: 4 });
    expect([...x].map((_, i) => half((result.u32("y")[i >> 1]! >> (16 * (i & 1))) & 0xffff))).toEqual([...x]);
  });
});

/** The number that 16 bits are as an f16, for numbers that are not subnormal. */
function half(bits: number): number {
  const exponent = (bits >> 10) & 31;
  if (exponent === 0) return 0;
  return (bits & 0x8000 ? -1 : 1) * 2 ** (exponent - 15) * (1 + (bits & 1023) / 1024);
}
