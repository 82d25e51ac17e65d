import { join, resolve } from "node:path";
import { byteTokenizer } from "@webmoe/data";
import { readTokenizerFile } from "@webmoe/data/node";
import { createRun } from "@webmoe/trainer/node";
import { UsageError } from "../errors";
import { importFolder } from "../hugging-face/import-folder";
import { runRecord } from "../run-files";
import { saveTokenizer } from "../run-text";
import { shellWord } from "../terminal/shell-word";
import { COMMAND } from "../version";

export interface ImportFlags {
  from: string;
  out: string;
}

/** Make a run of a model in Hugging Face's files, to sample, to evaluate, or to start another from. */
export async function importCommand({ from, out }: ImportFlags): Promise<void> {
  const { config, tensors } = await importFolder(from);
  const tokenizer = await readTokenizerFile(join(from, "tokenizer.json")).catch((error: Error) => {
    if (config.model.vocab !== 256) throw error;
    return byteTokenizer();
  });
  if (tokenizer.vocab > config.model.vocab) {
    throw new Error(`import: needs a tokenizer of at most ${config.model.vocab} tokens, got ${tokenizer.vocab}`);
  }
  config.tokenizer = { name: "file", file: join(resolve(out), "tokenizer.json") };
  const run = await createRun(out, runRecord(config)).catch((error: Error) => {
    throw new UsageError(error.message);
  });
  try {
    await saveTokenizer(run.path, tokenizer);
    await run.saveCheckpoint({
      step: 0,
      state: { step: 0, seed: config.seed, router: config.router.name },
      model: tensors,
      optimizer: [],
    });
  } finally {
    await run.close();
  }
  console.log(`the model of ${from} is in ${out}\ntrain it further: ${COMMAND} train --init-from ${shellWord(out)}`);
}
