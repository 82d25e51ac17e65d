import { IGNORE, languageModel } from "@webmoe/model";
import { recurrentRouter } from "@webmoe/router-recurrent";
import { allocate, compile, key, materialize, release, spec, u32 } from "@webmoe/tensor";
import { testGpu } from "@webmoe/webgpu/testing";
import { describe, expect, test } from "vitest";
import { draw, openGenerator } from "./generate";

const context = 8;
const model = languageModel(
  {
    vocab: 11,
    dim: 12,
    layers: 2,
    heads: 2,
    context,
    moe: { experts: 4, topK: 2, hidden: 10, balanceLoss: 0.01, zLoss: 0 },
  },
  recurrentRouter({ dim: 6, init: "torch" }),
);
const text = [3, 1, 4, 1, 5, 9, 2, 6];

async function collect(tokens: AsyncGenerator<number>): Promise<number[]> {
  const all: number[] = [];
  for await (const token of tokens) all.push(token);
  return all;
}

describe("generating with a key-value cache", () => {
  test("scores of the next token are those of the whole sequence at once", async () => {
    const gpu = await testGpu();
    const parameters = await materialize(gpu, model.init(key(3)).parameters);
    const caches = await allocate(
      gpu,
      [0, 1].map(() => spec([context, 2, 2, 6])),
      "caches",
    );
    const cached = await compile(
      gpu,
      { state: { parameters, caches }, inputs: { token: u32(1), position: u32(1) } },
      (state, input) => {
        const { logits } = model.next(state.parameters as never, { ...input, caches: state.caches as never });
        return { logits };
      },
    );
    const whole = await compile(
      gpu,
      { state: { parameters }, inputs: { tokens: u32(1, context), targets: u32(1, context) } },
      (state, batch) => ({ loss: model.loss(state.parameters as never, batch, { training: false }).loss }),
    );
    for (const [position, token] of text.entries()) {
      const { logits } = await (await cached.run({ token, position })).outputs;
      const total = Math.log(Array.from(logits, Math.exp).reduce((sum, value) => sum + value));
      const target = (position * 7) % 11;
      const targets = Uint32Array.from(text, (_, at) => (at === position ? target : IGNORE));
      const { loss } = await (await whole.run({ tokens: Uint32Array.from(text), targets })).outputs;
      expect(total - logits[target]!).toBeCloseTo(loss[0]!, 4);
    }
    for (const program of [cached, whole]) program.close();
    release([parameters, caches]);
  });

  test("one seed gives one text, longer than the context too", async () => {
    const gpu = await testGpu();
    const { parameters } = model.init(key(3));
    const generator = await openGenerator(gpu, model, await materialize(gpu, parameters));
    const options = { prompt: [3, 1, 4], tokens: 3 * context, seed: 7 };
    const first = await collect(generator.generate(options));
    expect(first).toHaveLength(3 * context);
    expect(await collect(generator.generate(options))).toEqual(first);
    expect(await collect(generator.generate({ ...options, seed: 8 }))).not.toEqual(first);
    let at = 0;
    for await (const { token, routes } of generator.trace(options)) {
      expect(token).toBe(first[at++]);
      expect(routes).toHaveLength(2);
      for (const { experts, weights } of routes) {
        expect(new Set(experts).size).toBe(2);
        expect(weights[0]).toBeGreaterThanOrEqual(weights[1]!);
        expect(weights[0]! + weights[1]!).toBeCloseTo(1, 5);
      }
    }
    expect(at).toBe(first.length);
    await expect(collect(generator.generate({ prompt: [], tokens: 1 }))).rejects.toThrow(/needs a prompt/);
    generator.close();
  });
});

describe("draw", () => {
  const logits = [0, Math.log(3), -Infinity];
  test("follows the probabilities", () => {
    expect(draw(logits, { temperature: 1, random: 0.24 })).toBe(0);
    expect(draw(logits, { temperature: 1, random: 0.26 })).toBe(1);
    expect(draw(logits, { temperature: 1, random: 0.999999 })).toBe(1);
  });
  test("takes the likeliest at temperature 0", () => {
    expect(draw(logits, { temperature: 0, random: 0.1 })).toBe(1);
  });
  test("leaves out what is not among the likeliest that reach top-p", () => {
    const unsorted = [0.2, 0.5, 0.05, 0.25].map(Math.log);
    const at = (topP: number, random: number) => draw(unsorted, { temperature: 1, topP, random });
    expect([at(0.4, 0), at(0.4, 0.99)]).toEqual([1, 1]);
    expect([at(0.7, 0.5), at(0.7, 0.99)]).toEqual([1, 3]);
    expect([at(0.9, 0), at(1, 0.74)]).toEqual([0, 2]);
  });
});
