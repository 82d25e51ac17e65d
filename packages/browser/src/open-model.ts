import { byteTokenizer, readTokenizer, type Tokenizer } from "@webmoe/data";
import { type LanguageModel, languageModel, type ModelConfig } from "@webmoe/model";
import type { AnyRouter } from "@webmoe/router";
import { routerNamed } from "@webmoe/routers";
import { release } from "@webmoe/tensor";
import { blobTensors, type GenerateOptions, loadModel, openGenerator } from "@webmoe/trainer";
import { type Gpu, openGpu } from "@webmoe/webgpu";
import { download } from "./download";

/** How to open a model. */
export interface OpenModelOptions {
  /** Of a run's folder: where below it the checkpoint lies, such as `checkpoints/step-00000300`. Default: the folder itself. */
  checkpoint?: string;
  /** The model's router, where it is none of those that come with webmoe. */
  router?: AnyRouter;
  /** A device to share; by default one is opened, and closed by `close()`. */
  gpu?: Gpu;
  /** Called while the tensors come in: bytes so far, and of all where the server says. */
  onProgress?(done: number, total: number | undefined): void;
}

/** How to write: a count of tokens (default 200), how freely to choose them (default temperature 1), and a seed. */
export type GenerateTextOptions = Partial<Omit<GenerateOptions, "prompt">>;

/** A trained language model on a device. */
export interface TextModel {
  /** The model itself, with its sizes as `config` and its router. */
  readonly model: LanguageModel;
  /** What turns text into the model's tokens and back. */
  readonly tokenizer: Tokenizer;
  /** What the model writes after a text of at least one character, piece by piece; leave the loop to stop it. */
  generate(prompt: string, options?: GenerateTextOptions): AsyncGenerator<string>;
  /** Free what the model holds on the device. */
  close(): void;
}

/** What config.json of an exported model and of a run says. */
interface Saved {
  config?: {
    task?: string;
    model: Omit<ModelConfig, "moe">;
    moe: ModelConfig["moe"];
    router: { name: string } & Record<string, unknown>;
    tokenizer: { name: string };
  };
}

/** What text is written with, all of it in f32: on matrix units only mixed precision computes. */
const FEATURES = ["subgroups"];

/**
 * Load a trained model over HTTP: the folder that `webmoe export --format web` writes, or a run's, as an address relative to
 * the page.
 */
export async function openModel(folder: string, options: OpenModelOptions = {}): Promise<TextModel> {
  const base = new URL(folder.endsWith("/") ? folder : `${folder}/`, globalThis.location?.href);
  const json = async (name: string) => JSON.parse(await (await download(new URL(name, base))).text());
  const { config } = (await json("config.json")) as Saved;
  if (!config?.model) {
    throw new Error(`openModel: needs a folder that "webmoe export --format web" or a run made, got ${base}`);
  }
  if (config.task === "classify") throw new Error(`openModel: needs a language model, and ${base} classifies texts`);
  const model = modelOf(config, options.router);
  const tokenizer =
    config.tokenizer.name === "bytes" ? byteTokenizer() : await readTokenizer(await json("tokenizer.json"));
  const file = new URL(`${options.checkpoint ? `${options.checkpoint}/` : ""}model.safetensors`, base);
  const tensors = await blobTensors(await download(file, options.onProgress));

  const gpu = options.gpu ?? (await openGpu({ features: FEATURES }));
  const loaded = await loadModel(gpu, model, tensors);
  const generator = await openGenerator(gpu, model, loaded.parameters, loaded.buffers);
  return {
    model,
    tokenizer,
    async *generate(prompt, { tokens = 200, ...how } = {}) {
      const text = tokenizer.decoder();
      for await (const token of generator.generate({ prompt: tokenizer.encode(prompt), tokens, ...how })) {
        const piece = text.push([token]);
        if (piece) yield piece;
      }
      const rest = text.end();
      if (rest) yield rest;
    },
    close() {
      generator.close();
      release(loaded);
      if (!options.gpu) gpu.close();
    },
  };
}

function modelOf({ model, moe, router: { name, ...options } }: NonNullable<Saved["config"]>, given?: AnyRouter) {
  const named = routerNamed(name);
  const router = given ?? named?.make(options);
  if (!router)
    throw new Error(`openModel: needs options.router, as no router that comes with webmoe is called "${name}"`);
  return languageModel({ ...model, moe: named?.layers?.(moe, options) ?? moe }, router);
}
