// Against NumPy and scikit-learn, given the same probabilities (tools/fixtures/make_inspect_fixtures.py).

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { choiceInformation, mutualInformation } from "./choice-information";
import { expertSimilarity } from "./expert-similarity";
import { gateFigures } from "./gate-figures";
import { digitize, publishedInformation } from "./published-information";
import { histogram, median } from "./summary";

const fixture = JSON.parse(readFileSync(new URL("../fixtures/statistics.json", import.meta.url), "utf8"));
const layers: Float32Array[] = fixture.probabilities.map((values: number[]) => Float32Array.from(values));
const { experts, topK } = fixture;

const expectSame = (actual: ArrayLike<number>, expected: number[]) => {
  expect(actual.length).toBe(expected.length);
  expected.forEach((value, i) => {
    expect(Math.abs(actual[i]! - value), `at ${i}: ${actual[i]} and ${value}`).toBeLessThanOrEqual(1e-6);
  });
};

describe("with NumPy and scikit-learn", () => {
  test("digitize, on the edges of bins as well", () => {
    layers.forEach((values, layer) => {
      expect(Array.from(values, digitize)).toEqual(fixture.bins[layer]);
    });
    expect(fixture.edges.map(digitize)).toEqual(fixture.edges.map((_: number, i: number) => i + 1));
  });

  test("the mutual information as published", () => {
    publishedInformation(layers, experts).forEach((row, i) => {
      expectSame(row, fixture.published[i]);
    });
  });

  test("the mutual information of choices", () => {
    fixture.first.forEach((a: number[], i: number) => {
      const row = fixture.first.map((b: number[]) => mutualInformation(a, b, experts));
      expectSame(row, fixture.choices[i]);
      expectSame([choiceInformation(a, fixture.first[0], experts).raw], [fixture.choices[i][0]]);
    });
  });

  test("entropy, its histogram, inner and outer balance", () => {
    layers.forEach((values, layer) => {
      const { entropy, inner, outer } = gateFigures(values, experts, topK);
      expectSame(entropy, fixture.entropy[layer]);
      expectSame(
        [median(entropy), median(inner), median(outer)],
        [fixture.entropyMedian[layer], fixture.inner[layer], fixture.outer[layer]],
      );
      expect(histogram(entropy, 48, 0, Math.log(experts))).toEqual(fixture.histogram[layer]);
    });
  });

  test("expert similarity with and without the diagonal", () => {
    const { whole, offDiagonal } = expertSimilarity(fixture.parts, experts);
    expectSame([whole, offDiagonal], [fixture.similarity, fixture.similarityOffDiagonal]);
  });
});
