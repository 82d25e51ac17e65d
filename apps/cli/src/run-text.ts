import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { byteTokenizer, type Documents, type Tokenizer, type Tokens } from "@webmoe/data";
import { type Corpus, openCorpus, readTokenizerFile, tokenizeCorpus, tokenizerFor } from "@webmoe/data/node";
import { SingleBar } from "cli-progress";
import type { Config } from "./config/schema";
import { bytes } from "./terminal/format";

/** Corpora of bytes up to this size are kept in memory, others in files of the cache. */
const IN_MEMORY = 2 ** 26;

/** Tokens of a text, and how many bytes one stands for on average. */
export interface TokenizedText {
  tokens: Tokens;
  bytesPerToken: number;
  /** Where documents begin, with `documents.pack=false`. */
  documents?: Documents;
}

/** The corpus of a configuration, or another; downloads show how far they are. */
export async function openText(config: Config, name = config.data): Promise<Corpus> {
  let bar: { name: string; update(done: number, total: number): void; stop(): void } | undefined;
  try {
    return await openCorpus(name, {
      column: config.documents.column,
      split: config.documents.split,
      onDownload(name, done, total = 0) {
        if (bar?.name !== name) {
          bar?.stop();
          bar = { name, ...transferBar(`downloading ${name}`) };
        }
        bar.update(done, total);
      },
    });
  } finally {
    bar?.stop();
  }
}

/** The tokens of a corpus. */
export async function tokenizeText(config: Config, corpus: Corpus, tokenizer: Tokenizer): Promise<TokenizedText> {
  const { separator = corpus.separator, pack = true } = config.documents;
  if (tokenizer.name === "bytes" && corpus.size <= IN_MEMORY && pack) {
    const parts: Uint8Array[] = [];
    for await (const { bytes, end } of corpus.read()) {
      parts.push(bytes);
      if (end) parts.push(new TextEncoder().encode(separator));
    }
    return { tokens: new Uint8Array(Buffer.concat(parts)), bytesPerToken: 1 };
  }
  let bar: ReturnType<typeof transferBar> | undefined;
  try {
    const tokens = await tokenizeCorpus(corpus, tokenizer, {
      separator,
      onProgress(done, total) {
        bar ??= transferBar("tokenizing");
        bar.update(done, total);
      },
    });
    const count = tokens.manifest.documents;
    const start = (index: number) => (index < count ? tokens.documentStart(index) : tokens.length);
    const documents = pack ? undefined : { count, start };
    return { tokens, bytesPerToken: tokens.manifest.bytes / tokens.length, documents };
  } finally {
    bar?.stop();
  }
}

const fileIn = (folder: string) => join(folder, "tokenizer.json");

/** The tokenizer of a new run. */
export function newTokenizer(config: Config, corpus: Corpus): Promise<Tokenizer> {
  return tokenizerFor(config.tokenizer, corpus, config.documents.separator);
}

/** The tokenizer that a run was trained with. */
export async function runTokenizer(folder: string, config: Config): Promise<Tokenizer> {
  return config.tokenizer.name === "bytes" ? byteTokenizer() : readTokenizerFile(fileIn(folder));
}

/** Keep a run's tokenizer in its folder. */
export async function saveTokenizer(folder: string, tokenizer: Tokenizer): Promise<void> {
  await writeFile(fileIn(folder), `${JSON.stringify(tokenizer.toJSON())}\n`, { flush: true });
}

/** A bar of bytes on a terminal; in a pipe nothing. */
function transferBar(name: string) {
  if (!process.stdout.isTTY) return { update() {}, stop() {} };
  const bar = new SingleBar({
    format: `  ${name}  {bar} {done} of {size}`,
    barsize: 24,
    hideCursor: true,
    clearOnComplete: true,
  });
  bar.start(1, 0, { done: bytes(0), size: "?" });
  return {
    update(done: number, total: number) {
      bar.setTotal(Math.max(total, 1));
      bar.update(done, { done: bytes(done), size: total ? bytes(total) : "?" });
    },
    stop: () => bar.stop(),
  };
}
