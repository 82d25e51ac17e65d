import { materialize, readTensor, release } from "@webmoe/tensor";
import { testGpu } from "@webmoe/webgpu/testing";
import { expect, test } from "vitest";
import { kernelCases } from "./kernel-cases";

/** Tokens that each expert gets from those that go to their two best. */
async function loadOf(name: string): Promise<number[]> {
  const { state } = kernelCases(true).find((each) => each.name === name)!;
  const gpu = await testGpu();
  const tensor = await materialize(gpu, state.scores!, "scores");
  const scores = await readTensor(tensor);
  release(tensor);
  const experts = tensor.shape[1]!;
  const load = Array<number>(experts).fill(0);
  for (let row = 0; row < scores.length; row += experts) {
    const ranked = [...load.keys()].sort((a, b) => scores[row + b]! - scores[row + a]!);
    for (const expert of ranked.slice(0, 2)) load[expert]!++;
  }
  return load;
}

test("experts are as busy as the names of their cases say", async () => {
  expect(await loadOf("even experts")).toEqual([64, 64, 64, 64]);
  const atRandom = await loadOf("experts at random");
  expect(Math.max(...atRandom)).toBeLessThan(1.3 * Math.min(...atRandom));
  expect(new Set(atRandom).size).toBeGreaterThan(1);
  expect(await loadOf("half of all rows at one expert")).toEqual([128, 43, 43, 42]);
});
