import { describe, expect, test } from "vitest";
import { expectClose, kernelTargets, runKernel, testNumbers, unpackedHalves } from "../testing";
import { packHalves } from "./pack-halves";

describe.each(kernelTargets.slice(0, 2))("packing halves, $name", ({ target }) => {
  test.each([1, 4, 7, 64, 1000])("%i pairs", async (items) => {
    const x = testNumbers(2 * items);
    const result = await runKernel(target, packHalves, { x, y: items }, { items });
    expectClose(unpackedHalves(result.u32("y")), x, 1e-3);
  });

  test("what f16 holds is kept", async () => {
    const x = Float32Array.of(0, 1, -2.5, 65504, 2 ** -14, -0.25, 1024, 3);
    const result = await runKernel(target, packHalves, { x, y: 4 }, { items: 4 });
    expect([...unpackedHalves(result.u32("y"))]).toEqual([...x]);
  });
});
