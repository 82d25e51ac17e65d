import { expectClose } from "@webmoe/webgpu/testing";
import { expect, test } from "vitest";
import { checkGradient, random, valuesOf } from "../testing";
import { embedding } from "./embedding";

const tokens = { shape: [5], data: Uint32Array.of(3, 0, 3, 6, 3) };

test("rows of the tokens", async () => {
  const weight = random([7, 3]);
  const expected = Array.from(tokens.data, (token) => [...weight.data.subarray(token * 3, token * 3 + 3)]).flat();
  expectClose(await valuesOf(embedding, [weight, tokens]), expected);
});

test("the gradient sums over repeated tokens and is zero for unused ones", () =>
  checkGradient(embedding, [[7, 3], tokens]));

test("tokens that are not u32 are an error", async () => {
  await expect(valuesOf((w, t) => embedding(w, t as never), [random([7, 3]), random([5])])).rejects.toThrow(
    "embedding: needs weight [V, D] and u32 tokens, got [7, 3] and f32[5]",
  );
});
