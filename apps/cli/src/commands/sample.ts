import { openGenerator } from "@webmoe/trainer";
import { openGpu } from "@webmoe/webgpu/node";
import { UsageError } from "../errors";
import { loadParameters, openLanguageRun } from "../run-model";
import { runTokenizer } from "../run-text";
import { printable } from "../terminal/printable";

export interface SampleFlags {
  from: string;
  prompt: string;
  tokens: number;
  temperature: number;
  topK: number;
  topP: number;
  seed: number;
  adapter?: string;
  averaged: boolean;
}

/** Write text with the last checkpoint of a run, token by token. */
export async function sampleCommand({
  from,
  prompt,
  tokens,
  temperature,
  topK,
  topP,
  seed,
  adapter,
  averaged,
}: SampleFlags): Promise<void> {
  if (prompt.length === 0) throw new UsageError("--prompt: needs at least one character, got none");
  if (temperature < 0) throw new UsageError(`--temperature: needs 0 or more, got ${temperature}`);
  if (!(topP > 0 && topP <= 1)) throw new UsageError(`--top-p: needs more than 0 and at most 1, got ${topP}`);
  const run = await openLanguageRun(from);
  const gpu = await openGpu({ adapter: adapter ?? run.config.adapter });
  try {
    const { parameters, buffers } = await loadParameters(gpu, run, { averaged });
    const generator = await openGenerator(gpu, run.model, parameters, buffers);
    const { encode, decoder } = await runTokenizer(run.folder.path, run.config);
    const text = decoder();
    const write = (part: string) => process.stdout.write(process.stdout.isTTY ? printable(part) : part);
    process.stdout.write(prompt);
    for await (const token of generator.generate({ prompt: encode(prompt), tokens, temperature, topK, topP, seed })) {
      write(text.push([token]));
    }
    write(`${text.end()}\n`);
  } finally {
    gpu.close();
  }
}
