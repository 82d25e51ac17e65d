import { readFile } from "node:fs/promises";
import type { Corpus } from "./corpora/corpus";
import { blockCutter } from "./shards/block-cutter";
import { byteTokenizer } from "./tokenizers/byte-tokenizer";
import { characterSet, characterTokenizer } from "./tokenizers/character-tokenizer";
import { gpt2Tokenizer } from "./tokenizers/gpt2-tokenizer";
import { readTokenizer } from "./tokenizers/hugging-face-tokenizer";
import type { Tokenizer } from "./tokenizers/tokenizer";
import { bpeTrainer } from "./tokenizers/train-bpe";

/** Names of tokenizers. */
export const TOKENIZERS = ["bytes", "characters", "gpt2", "bpe", "file"] as const;

/** Which tokenizer is wanted. */
export interface TokenizerChoice {
  /** The kind: bytes, characters, GPT-2's, a BPE of the corpus, or that of a file. */
  name: (typeof TOKENIZERS)[number];
  /** Tokens of a `bpe` that is trained on the corpus; default 4096. */
  vocab?: number;
  /** A Hugging Face tokenizer.json, for `file`. */
  file?: string;
}

/** Bytes of a corpus that a BPE is trained on: its merges change little after that. */
const TRAINING_BYTES = 2 ** 26;

/**
 * The tokenizer of a choice, for a corpus: `characters` are those of the whole corpus, `bpe` is trained on its first 64 MiB
 * with the corpus's separator as a token where that looks like a mark.
 */
export async function tokenizerFor(choice: TokenizerChoice, corpus: Corpus, separator = ""): Promise<Tokenizer> {
  switch (choice.name) {
    case "bytes":
      return byteTokenizer();
    case "gpt2":
      return gpt2Tokenizer();
    case "file": {
      if (!choice.file) throw new Error("tokenizer.file: needs the path of a tokenizer.json with tokenizer.name=file");
      return readTokenizerFile(choice.file);
    }
    case "characters": {
      const characters = characterSet();
      const text = () => new TextDecoder("utf-8", { ignoreBOM: true });
      let decoder = text();
      for await (const { bytes, end } of corpus.read()) {
        characters.add(decoder.decode(bytes, { stream: !end }));
        if (end) decoder = text();
      }
      characters.add(separator || corpus.separator);
      return characterTokenizer(characters.list());
    }
    case "bpe": {
      const special = /^<\|.+\|>$/.test(separator) ? [separator] : [];
      const trainer = bpeTrainer({ vocab: choice.vocab ?? 4096, special });
      let left = TRAINING_BYTES;
      let cutter = blockCutter();
      for await (const { bytes, end } of corpus.read()) {
        const blocks = cutter.push(bytes);
        if (end) blocks.push(...cutter.end());
        for (const block of blocks) trainer.add(block);
        if (end) cutter = blockCutter();
        left -= bytes.length;
        if (left <= 0) break;
      }
      for (const block of cutter.end()) trainer.add(block);
      return readTokenizer(trainer.finish(), "bpe");
    }
  }
}

/** The tokenizer of a tokenizer.json. */
export async function readTokenizerFile(path: string): Promise<Tokenizer> {
  const text = await readFile(path, "utf8").catch((error: Error) => {
    throw new Error(`tokenizer: needs a tokenizer.json, and "${path}" cannot be read: ${error.message}`);
  });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new Error(`tokenizer: needs JSON in "${path}": ${(error as Error).message}`);
  }
  return readTokenizer(json, path);
}
