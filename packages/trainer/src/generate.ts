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
import { type TokenRoute, tokenRoutes } from "./token-routes";

/** What to write, and how. */
export interface GenerateOptions {
  /** Tokens to go on from; at least one. */
  prompt: ArrayLike<number>;
  /** How many tokens to write. */
  tokens: number;
  /** 0 takes the most likely token each time; 1 draws by the model's own probabilities. Default 1. */
  temperature?: number;
  /** Draw from the most likely tokens that together have at least this probability (Holtzman et al. 2020). Default 1: from all. */
  topP?: number;
  seed?: number;
}

/** A written token, and its route through the MoE layers. */
export interface TracedToken {
  token: number;
  routes: TokenRoute[];
}

/** Writes text with a model, keeping keys and values of the tokens so far on the device; one text at a time. */
export interface Generator {
  generate(options: GenerateOptions): AsyncGenerator<number>;
  /** The same tokens, each with its experts. */
  trace(options: GenerateOptions): AsyncGenerator<TracedToken>;
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
    (state, input) => {
      const { logits, layers } = model.next(state.parameters, {
        ...input,
        caches: state.caches,
        buffers: state.buffers,
      });
      const routing = layers.map(({ selection: { expert, weight } }) => ({ expert, weight }));
      return { logits, routing };
    },
  );
  const after = async (token: number, position: number) => (await program.run({ token, position })).outputs;

  async function* trace({ prompt, tokens, temperature = 1, topP, seed = 0 }: GenerateOptions) {
    if (prompt.length === 0) throw new Error("generate: needs a prompt of at least one token, got none");
    const written = Array.from(prompt).slice(-context);
    const stream = fold(key(seed), "generate");
    let position = 0;
    let seen: Awaited<ReturnType<typeof after>> | undefined;
    for (const token of written) seen = await after(token, position++);
    for (let count = 0; count < tokens; count++) {
      const token = draw(seen!.logits, { temperature, topP, random: uniforms(fold(stream, count), 1)[0]! });
      written.push(token);
      if (position === context) {
        // The cache is full: keep the newer half of the text and read it again from position 0.
        position = 0;
        for (const recent of written.slice(-Math.ceil(context / 2))) seen = await after(recent, position++);
      } else {
        seen = await after(token, position++);
      }
      yield { token, routes: seen!.routing.map(({ expert, weight }) => tokenRoutes(expert, weight, 1)[0]!) };
    }
  }

  return {
    trace,
    async *generate(options) {
      for await (const { token } of trace(options)) yield token;
    },
    close() {
      program.close();
      release(caches);
    },
  };
}

/** How `draw` chooses. */
export interface DrawOptions {
  temperature: number;
  topP?: number;
  /** Uniform in [0, 1). */
  random: number;
}

/** The token at which the cumulative probability passes `random`, or the most likely one at temperature 0. */
export function draw(logits: ArrayLike<number>, { temperature, topP = 1, random }: DrawOptions): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[best]!) best = i;
  if (temperature === 0) return best;
  const weights = Array.from(logits, (logit) => Math.exp((logit - logits[best]!) / temperature));
  if (topP < 1) keepTop(weights, topP);
  let rest = random * weights.reduce((sum, weight) => sum + weight, 0);
  for (let i = 0; i < weights.length; i++) {
    rest -= weights[i]!;
    if (rest < 0) return i;
  }
  return best;
}

/** Clear all weights but the fewest largest ones that together have a share of at least `topP`. */
function keepTop(weights: number[], topP: number): void {
  const order = weights.map((_, token) => token).sort((a, b) => weights[b]! - weights[a]!);
  let left = topP * weights.reduce((sum, weight) => sum + weight, 0);
  for (const token of order) {
    if (left <= 0) weights[token] = 0;
    else left -= weights[token]!;
  }
}
