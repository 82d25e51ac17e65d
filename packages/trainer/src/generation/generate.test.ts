import { IGNORE, type LanguageModelParameters, languageModel } from "@webmoe/model";
import { recurrentRouter } from "@webmoe/router-recurrent";
import { compile, type DeviceTensor, key, materialize, release, type Tensor, u32 } from "@webmoe/tensor";
import type { Gpu } from "@webmoe/webgpu";
import { testGpu } from "@webmoe/webgpu/testing";
import { describe, expect, test } from "vitest";
import { openDecoder } from "./decoder";
import { openGenerator } from "./generate";

const [vocab, context] = [11, 8];
const model = languageModel(
  {
    vocab,
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

/** -log p of each token after the one at `position` of a text, which goes through the model at once and without a cache. */
async function openUncached(gpu: Gpu, parameters: LanguageModelParameters<DeviceTensor>) {
  const inputs = { tokens: u32(1, context), targets: u32(1, context) };
  const program = await compile(gpu, { state: { parameters }, inputs }, (state, batch) => ({
    loss: model.loss(state.parameters as LanguageModelParameters<Tensor>, batch, { training: false }).loss,
  }));
  const losses = (tokens: number[], position: number) =>
    Promise.all(
      Array.from({ length: vocab }, async (_, target) => {
        const given = Uint32Array.from({ length: context }, (_, at) => tokens[at] ?? 0);
        const targets = given.map((_, at) => (at === position ? target : IGNORE));
        return (await (await program.run({ tokens: given, targets })).outputs).loss[0]!;
      }),
    );
  return { losses, close: () => program.close() };
}

describe("generating with a key-value cache", () => {
  test("scores of the next token are those of the whole sequence at once", async () => {
    const gpu = await testGpu();
    const parameters = await materialize(gpu, model.init(key(3)).parameters);
    const decoder = await openDecoder(gpu, model, { parameters }, ({ logits }) => logits);
    const uncached = await openUncached(gpu, parameters);
    for (const [position, token] of text.entries()) {
      const { read: logits } = await (await decoder.feed(token, position)).outputs;
      const total = Math.log(Array.from(logits, Math.exp).reduce((sum, value) => sum + value));
      (await uncached.losses(text, position)).forEach((loss, target) => {
        expect(total - logits[target]!).toBeCloseTo(loss, 4);
      });
    }
    for (const program of [decoder, uncached]) program.close();
    release(parameters);
  });

  test("the likeliest tokens are those of the uncached model, but where two are as likely", async () => {
    const gpu = await testGpu();
    const parameters = await materialize(gpu, model.init(key(5)).parameters);
    const generator = await openGenerator(gpu, model, parameters);
    const uncached = await openUncached(gpu, parameters);
    let clear = 0;
    for (const first of [0, 3, 7]) {
      const tokens = [first];
      for await (const token of generator.generate({ prompt: tokens, tokens: context, temperature: 0 })) {
        const losses = await uncached.losses(tokens, tokens.length - 1);
        const [best, second] = losses.toSorted((a, b) => a - b) as [number, number];
        if (second - best >= 1e-3) {
          expect(token).toBe(losses.indexOf(best));
          clear++;
        }
        tokens.push(token);
      }
    }
    expect(clear).toBeGreaterThan(12);
    for (const opened of [generator, uncached]) opened.close();
    release(parameters);
  });

  test("one seed gives one text, longer than the context too", async () => {
    const gpu = await testGpu();
    const parameters = await materialize(gpu, model.init(key(3)).parameters);
    const generator = await openGenerator(gpu, model, parameters);
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
    release(parameters);
  });

  test("a reader may stop, and another text begins", async () => {
    const gpu = await testGpu();
    const parameters = await materialize(gpu, model.init(key(3)).parameters);
    const generator = await openGenerator(gpu, model, parameters);
    const options = { prompt: [3, 1, 4], tokens: 6, seed: 7 };
    const whole = await collect(generator.generate(options));
    for await (const token of generator.generate(options)) {
      expect(token).toBe(whole[0]);
      break;
    }
    expect(await collect(generator.generate(options))).toEqual(whole);
    // One choice is as good as none.
    const likeliest = await collect(generator.generate({ ...options, temperature: 0 }));
    expect(await collect(generator.generate({ ...options, topK: 1 }))).toEqual(likeliest);
    expect(await collect(generator.generate({ ...options, topP: 1e-6 }))).toEqual(likeliest);
    generator.close();
    release(parameters);
  });

  test("a token is one submit, and nothing is made for it", async () => {
    const gpu = await testGpu();
    const parameters = await materialize(gpu, model.init(key(3)).parameters);
    const generator = await openGenerator(gpu, model, parameters);
    let submits = 0;
    const { queue } = gpu.device;
    const submit = queue.submit.bind(queue);
    Object.defineProperty(queue, "submit", {
      configurable: true,
      value: (commands: GPUCommandBuffer[]) => {
        submits++;
        submit(commands);
      },
    });
    await collect(generator.generate({ prompt: [3], tokens: context }));
    delete (queue as { submit?: unknown }).submit;
    expect(submits).toBe(context);
    expect(generator.stats.created).toEqual({ buffers: 0, bindGroups: 0, pipelines: 0 });
    generator.close();
    release(parameters);
  });
});
