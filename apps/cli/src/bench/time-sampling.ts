import { type LanguageModel, measureModel } from "@webmoe/model";
import { key, type MapLeaves, materialize, release } from "@webmoe/tensor";
import { openGenerator } from "@webmoe/trainer";
import { adapterName, type Gpu } from "@webmoe/webgpu";
import type { Config } from "../config/schema";
import { shortNumber } from "../terminal/format";
import { countObjects } from "./count-objects";
import { meanEncodeMs } from "./mean-encode";

/** What writing text takes, one token after another. */
export interface SamplingResult {
  preset: string;
  router: string;
  adapter: string;
  parameters: number;
  tokens: number;
  tokensPerSecond: number;
  submitsPerToken: number;
  /** Kernel calls of a token. */
  dispatches: number;
  /** What the host takes to encode and submit a token, in milliseconds. */
  encodeMs: number;
}

/** The result in words. */
export function samplingLine({ tokensPerSecond, submitsPerToken, dispatches, encodeMs }: SamplingResult): string {
  return (
    `${shortNumber(tokensPerSecond)} tokens/s; a token: submits ${shortNumber(submitsPerToken)}, dispatches ${dispatches}, ` +
    `encoding ${encodeMs.toFixed(2)} ms`
  );
}

/** Time a fresh model as it writes `tokens` tokens with its key-value cache. */
export async function timeSampling(
  gpu: Gpu,
  model: LanguageModel,
  config: Config,
  tokens: number,
): Promise<SamplingResult> {
  const initial = model.init(key(config.seed));
  const parameters = await materialize(gpu, initial.parameters);
  const buffers = (await materialize(gpu, initial.buffers, "router buffers")) as MapLeaves<unknown, never>;
  const generator = await openGenerator(gpu, model, parameters, buffers);
  try {
    /** Texts that fit the context, so that none is read a second time. */
    const write = async (count: number) => {
      const text = Math.max(1, Math.min(count, config.model.context - 1));
      for await (const _ of generator.generate({ prompt: [0], tokens: text, seed: config.seed }));
      if (count > text) await write(count - text);
    };
    await write(Math.ceil(tokens / 4)); // the first tokens find an idle GPU
    const counts = countObjects(gpu.device);
    const before = { ...generator.stats };
    const start = performance.now();
    await write(tokens);
    const seconds = (performance.now() - start) / 1000;
    return {
      preset: config.preset,
      router: model.router.name,
      adapter: adapterName(gpu.adapter),
      parameters: measureModel(model).total,
      tokens,
      tokensPerSecond: tokens / seconds,
      submitsPerToken: counts.stop().submits / tokens,
      dispatches: generator.stats.dispatches,
      encodeMs: meanEncodeMs(before, generator.stats),
    };
  } finally {
    generator.close();
    release(parameters);
    release(buffers);
  }
}
