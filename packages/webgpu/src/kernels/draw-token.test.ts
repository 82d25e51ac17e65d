import { describe, expect, test } from "vitest";
import { kernelTargets, runKernel, testNumbers } from "../testing";
import { drawToken } from "./draw-token";

interface Choice {
  temperature?: number;
  topK?: number;
  topP?: number;
  random: number;
}

/** As anybody would: sort, cut, and walk until the sum passes. */
function draw(logits: Float32Array, { temperature = 1, topK = 0, topP = 1, random }: Choice): number {
  const largest = Math.max(...logits);
  if (temperature === 0) return logits.indexOf(largest);
  const weights = Array.from(logits, (logit) => Math.exp((logit - largest) / temperature));
  const order = weights.map((_, token) => token).sort((a, b) => weights[b]! - weights[a]!);
  if (topK > 0) for (const token of order.slice(topK)) weights[token] = 0;
  let left = topP * weights.reduce((sum, weight) => sum + weight, 0);
  for (const token of order) {
    if (left <= 0) weights[token] = 0;
    left -= weights[token]!;
  }
  let rest = random * weights.reduce((sum, weight) => sum + weight, 0);
  return weights.findIndex((weight) => {
    rest -= weight;
    return rest < 0;
  });
}

describe.each(kernelTargets)("drawing a token, $name", ({ target }) => {
  const drawn = async (logits: Float32Array, { temperature = 1, topK = 0, topP = 1, random }: Choice) => {
    const choice = Float32Array.of(temperature, topK, topP, random);
    const given = { logits, choice, token: Uint32Array.of(7) };
    return (await runKernel(target, drawToken, given, { vocab: logits.length })).u32("token")[0];
  };

  test.each([1, 2, 7, 256, 1000])("from %i tokens", async (vocab) => {
    const logits = testNumbers(vocab).map((value) => 3 * value);
    for (const choice of [
      { random: 0 },
      { random: 0.31 },
      { random: 0.999 },
      { temperature: 0.4, random: 0.62 },
      { temperature: 2.5, topP: 0.6, random: 0.93 },
      { topP: 0.001, random: 0.5 },
      { topK: 1, random: 0.99 },
      { topK: 3, random: 0.8 },
      { topK: 5, topP: 0.7, temperature: 1.3, random: 0.97 },
      { temperature: 0, random: 0.5 },
    ]) {
      expect(await drawn(logits, choice), JSON.stringify(choice)).toBe(draw(logits, choice));
    }
  });

  test("ties, and scores of minus infinity", async () => {
    const logits = Float32Array.of(1, 4, -Infinity, 4, 2);
    expect(await drawn(logits, { temperature: 0, random: 0.9 })).toBe(1);
    expect(await drawn(logits, { topK: 2, random: 0.51 })).toBe(3);
    expect(await drawn(Float32Array.of(-Infinity, 0, -Infinity), { random: 0 })).toBe(1);
    expect(await drawn(Float32Array.of(-Infinity, 0, -Infinity), { random: 0.9999999 })).toBe(1);
  });
});
