import type { LanguageModel, LanguageModelParameters, NextOutput } from "@webmoe/model";
import {
  allocate,
  compile,
  type DeviceTensor,
  drawInto,
  f32,
  type MapLeaves,
  release,
  spec,
  u32,
  type ValuesOf,
  writeTensor,
} from "@webmoe/tensor";
import type { Gpu, ProgramStats } from "@webmoe/webgpu";

/** How the token after another is drawn. */
export interface Choice {
  /** 0 takes the most likely token; 1 draws by the model's own probabilities. */
  temperature: number;
  /** Draw from so many of the most likely tokens; 0 from all. */
  topK?: number;
  /** Draw from the most likely tokens that together have at least this probability (Holtzman et al. 2020); 1 from all. */
  topP?: number;
  /** Uniform in [0, 1). */
  random: number;
}

/** A model on a device that reads one token after another, with keys and values of those before in a cache. */
export interface Decoder<O> {
  /** Of the program that reads one token. */
  readonly stats: ProgramStats;
  /**
   * Queue one token at a position: the given one, or without one the token that was drawn last, which is on the device: so tokens can be
   * queued before it is known which they are. Resolves when a slot is free; its outputs have what follows it, drawn by `choice`.
   */
  feed(
    token: number | undefined,
    position: number,
    choice?: Choice,
  ): Promise<{ readonly outputs: Promise<{ drawn: number; read: ValuesOf<O> }> }>;
  /** Free the program and the cache. */
  close(): void;
}

const LIKELIEST: Choice = { temperature: 0, random: 0 };

/** Compile the program that reads one token of a model, and draws the next. `read` chooses what else its outputs have. */
export async function openDecoder<O>(
  gpu: Gpu,
  model: LanguageModel,
  {
    parameters,
    buffers,
  }: { parameters: LanguageModelParameters<DeviceTensor>; buffers?: MapLeaves<unknown, DeviceTensor> },
  read: (next: NextOutput) => O,
): Promise<Decoder<O>> {
  const { context, heads, dim, layers } = model.config;
  const cache = spec([context, 2, heads, dim / heads]);
  const own = await allocate(
    gpu,
    { caches: Array.from({ length: layers }, () => cache), token: spec([1], "u32") },
    "key-value cache",
  );
  const program = await compile(
    gpu,
    {
      label: "next token",
      state: { parameters, buffers, ...own },
      inputs: { position: u32(1), choice: f32(4) },
      slots: 3, // one that is computed while another is read and a third encoded
    },
    ({ parameters, buffers, caches, token }, { position, choice }) => {
      const next = model.next(parameters, { token, position, caches, buffers });
      drawInto(token, next.logits, choice);
      return { drawn: token, read: read(next) };
    },
  );
  return {
    stats: program.stats,
    async feed(token, position, { temperature, topK = 0, topP = 1, random } = LIKELIEST) {
      if (token !== undefined) writeTensor(own.token, Uint32Array.of(token));
      const run = await program.run({ position, choice: Float32Array.of(temperature, topK, topP, random) });
      const outputs = run.outputs.then(({ drawn, read }) => ({ drawn: drawn[0]!, read: read as ValuesOf<O> }));
      outputs.catch(() => {}); // a reader that has stopped must not crash the process
      return { outputs };
    },
    close() {
      program.close();
      release(own);
    },
  };
}
