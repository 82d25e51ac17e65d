import type { LanguageModel, LanguageModelParameters, TrunkParameters } from "@webmoe/model";
import {
  allocate,
  compile,
  type DeviceTensor,
  fold,
  key,
  type MapLeaves,
  release,
  spec,
  u32,
  uniforms,
} from "@webmoe/tensor";
import type { Gpu } from "@webmoe/webgpu";

/** What to write, and how. */
export interface GenerateOptions {
  /** Tokens to go on from; at least one. */
  prompt: ArrayLike<number>;
  /** How many tokens to write. */
  tokens: number;
  /** 0 takes the most likely token each time; 1 draws by the model's own probabilities. Default 1. */
  temperature?: number;
  seed?: number;
}

/** Writes text with a model, keeping keys and values of the tokens so far on the device. */
export interface Generator {
  generate(options: GenerateOptions): AsyncGenerator<number>;
  close(): void;
}

/** Compile the program that predicts one token after another. */
export async function openGenerator(
  gpu: Gpu,
  model: LanguageModel,
  parameters: TrunkParameters<DeviceTensor>,
  buffers?: MapLeaves<unknown, DeviceTensor>,
): Promise<Generator> {
  const { context, heads, dim, layers } = model.config;
  const caches = await allocate(
    gpu,
    Array.from({ length: layers }, () => spec([context, 2, heads, dim / heads])),
    "key-value cache",
  );
  const inputs = { token: u32(1), position: u32(1) };
  const program = await compile(
    gpu,
    {
      label: "next token",
      state: { parameters: parameters as LanguageModelParameters<DeviceTensor>, buffers, caches },
      inputs,
    },
    (state, input) => ({
      logits: model.next(state.parameters, {
        ...input,
        caches: state.caches,
        buffers: state.buffers,
      }),
    }),
  );
  const logitsAfter = async (token: number, position: number) =>
    (await (await program.run({ token, position })).outputs).logits as Float32Array;

  return {
    async *generate({ prompt, tokens, temperature = 1, seed = 0 }) {
      if (prompt.length === 0) throw new Error("generate: needs a prompt of at least one token, got none");
      const written = Array.from(prompt).slice(-context);
      const stream = fold(key(seed), "generate");
      let position = 0;
      let logits: Float32Array | undefined;
      for (const token of written) logits = await logitsAfter(token, position++);
      for (let count = 0; count < tokens; count++) {
        const token = draw(logits!, temperature, uniforms(fold(stream, count), 1)[0]!);
        yield token;
        written.push(token);
        if (position === context) {
          // The cache is full: keep the newer half of the text and read it again from position 0.
          position = 0;
          for (const recent of written.slice(-Math.ceil(context / 2))) logits = await logitsAfter(recent, position++);
        } else {
          logits = await logitsAfter(token, position++);
        }
      }
    },
    close() {
      program.close();
      release(caches);
    },
  };
}

/** The token at which the cumulative probability passes `random`, or the most likely one at temperature 0. */
export function draw(logits: ArrayLike<number>, temperature: number, random: number): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[best]!) best = i;
  if (temperature === 0) return best;
  const weights = Array.from(logits, (logit) => Math.exp((logit - logits[best]!) / temperature));
  let rest = random * weights.reduce((sum, weight) => sum + weight, 0);
  for (let i = 0; i < weights.length; i++) {
    rest -= weights[i]!;
    if (rest < 0) return i;
  }
  return best;
}
