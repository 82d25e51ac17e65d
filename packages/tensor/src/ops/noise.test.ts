import { testGpu } from "@webmoe/webgpu/testing";
import { expect, test } from "vitest";
import { evaluate } from "../compile";
import { key, uniforms } from "../threefry";
import { uniformNoise } from "./noise";

test("a key gives its own numbers, every time", async () => {
  const words = { shape: [2], data: Uint32Array.from(key(5)) };
  const noise = await evaluate(await testGpu(), { words }, ({ words }) => uniformNoise(words, [3, 5], -1, 1));
  const expected = uniforms(key(5), 15).map((value) => 2 * value - 1);
  noise.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i]!, 6);
  });
});

test("a key has two words", async () => {
  const words = { shape: [3], data: Uint32Array.of(1, 2, 3) };
  const wrong = evaluate(await testGpu(), { words }, ({ words }) => uniformNoise(words, [3], 0, 1));
  await expect(wrong).rejects.toThrow("uniformNoise: needs a key of two words");
});
