import type { LanguageModel, LanguageModelParameters, TrunkParameters } from "@webmoe/model";
import { type DeviceTensor, fold, key, type MapLeaves, uniforms } from "@webmoe/tensor";
import type { Gpu, ProgramStats } from "@webmoe/webgpu";
import { type Choice, type Decoder, openDecoder } from "./decoder";
import { type TokenRoute, tokenRoutes } from "./token-routes";

/** What to write, and how. */
export interface GenerateOptions {
  /** Tokens to go on from; at least one. */
  prompt: ArrayLike<number>;
  /** How many tokens to write. */
  tokens: number;
  /** 0 takes the most likely token each time; 1 draws by the model's own probabilities. Default 1. */
  temperature?: number;
  /** Draw from so many of the most likely tokens. Default 0: from all. */
  topK?: number;
  /** Draw from the most likely tokens that together have at least this probability (Holtzman et al. 2020). Default 1: from all. */
  topP?: number;
  /** The same seed gives the same text; default 0. */
  seed?: number;
}

/** A written token, and its route through the MoE layers. */
export interface TracedToken {
  /** The token's id. */
  token: number;
  /** Where it went in every MoE layer. */
  routes: TokenRoute[];
}

/** Writes text with a model, keeping keys and values of the tokens so far on the device; one text at a time. */
export interface Generator {
  /** Of the program that writes one token. */
  readonly stats: ProgramStats;
  /** Tokens as they are drawn; leave the loop to stop. */
  generate(options: GenerateOptions): AsyncGenerator<number>;
  /** The same tokens, each with its experts. */
  trace(options: GenerateOptions): AsyncGenerator<TracedToken>;
  /** Free the program and the cache of keys and values. */
  close(): void;
}

/** Tokens that are queued while another is computed. */
const AHEAD = 2;

/** Compile the program that writes one token after another. */
export async function openGenerator(
  gpu: Gpu,
  model: LanguageModel,
  parameters: TrunkParameters<DeviceTensor>,
  buffers?: MapLeaves<unknown, DeviceTensor>,
): Promise<Generator> {
  const state = { parameters: parameters as LanguageModelParameters<DeviceTensor>, buffers };
  const { context } = model.config;
  const plain = await openDecoder(gpu, model, state, () => ({}));
  const openTraced = () =>
    openDecoder(gpu, model, state, ({ layers }) =>
      layers.map(({ selection: { expert, weight } }) => ({ expert, weight })),
    );
  // Experts are read from the device by those alone who ask for them.
  let traced: ReturnType<typeof openTraced> | undefined;

  return {
    stats: plain.stats,
    async *generate(options) {
      for await (const { drawn } of write(plain, context, options)) yield drawn;
    },
    async *trace(options) {
      traced ??= openTraced();
      let token: number | undefined;
      // The experts of a token are known once it was read, and with them the token after it.
      for await (const { drawn, read } of write(await traced, context, { ...options, tokens: options.tokens + 1 })) {
        const routes = read.map(({ expert, weight }) => tokenRoutes(expert, weight, 1)[0]!);
        if (token !== undefined) yield { token, routes };
        token = drawn;
      }
    },
    close() {
      plain.close();
      traced?.then((decoder) => decoder.close());
    },
  };
}

/** Every token drawn, and what the model said of the one before it. */
async function* write<O>(decoder: Decoder<O>, context: number, options: GenerateOptions) {
  const { prompt, tokens, temperature = 1, topK, topP, seed = 0 } = options;
  if (prompt.length === 0) throw new Error("generate: needs a prompt of at least one token, got none");
  const stream = fold(key(seed), "generate");
  let position = 0;
  let drawn = 0;
  const next = (): Choice => ({ temperature, topK, topP, random: uniforms(fold(stream, drawn++), 1)[0]! });
  /** Read a text from position 0, and draw after its last token. */
  const read = async (text: number[]) => {
    position = 0;
    for (const token of text.slice(0, -1)) await decoder.feed(token, position++);
    return decoder.feed(text.at(-1)!, position++, next());
  };
  const written = Array.from(prompt).slice(-context);
  const queue: Awaited<ReturnType<Decoder<O>["feed"]>>[] = [];
  for (let count = 0; count < tokens; count++) {
    // Where the cache is full, the newer half of the text is read again.
    if (queue.length === 0) queue.push(await read(count === 0 ? written : written.slice(-Math.ceil(context / 2))));
    while (queue.length <= AHEAD && drawn < tokens && position < context) {
      queue.push(await decoder.feed(undefined, position++, next()));
    }
    const result = await queue.shift()!.outputs;
    written.push(result.drawn);
    yield result;
  }
}
