import { createHash } from "node:crypto";
import { mkdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { cacheFolder } from "../cache-folder";
import type { Corpus } from "../corpora/corpus";
import type { Tokenizer } from "../tokenizers/tokenizer";
import { blockCutter } from "./block-cutter";
import { MANIFEST } from "./manifest";
import { openShards, type ShardedTokens } from "./shard-reader";
import { shardWriter } from "./shard-writer";

/** How a corpus becomes tokens. */
export interface TokenizeOptions {
  /** Text after each document, such as a mark that the tokenizer has a token for. Default: the corpus's own. */
  separator?: string;
  /** Folder of the cache; default: the user's. */
  cache?: string;
  /** Most tokens of one file; default 2^28. */
  shardTokens?: number;
  /** Told bytes read and bytes in all while the corpus is tokenised; not called where the cache has it. */
  onProgress?(done: number, total: number): void;
}

/**
 * The tokens of a corpus, in files of the cache that are written at the first use and read from then on. A corpus that
 * changed, another tokenizer and another separator have files of their own. Takes memory for a block of text, however long the corpus.
 */
export async function tokenizeCorpus(
  corpus: Corpus,
  tokenizer: Tokenizer,
  options: TokenizeOptions = {},
): Promise<ShardedTokens> {
  const { separator = corpus.separator, onProgress } = options;
  const tokenizerHash = hash(JSON.stringify(tokenizer.toJSON()));
  const identity = hash(JSON.stringify([1, corpus.sources, tokenizerHash, separator, options.shardTokens]));
  const tokens = join(options.cache ?? cacheFolder(), "tokens");
  const folder = join(tokens, identity.slice(0, 32));
  const found = await openWhole(folder, identity);
  if (found) return found;

  const temporary = `${folder}.${process.pid}-${Math.floor(performance.now() * 1000)}.partial`;
  await rm(folder, { recursive: true, force: true });
  await mkdir(tokens, { recursive: true });
  const writer = await shardWriter(temporary, { vocab: tokenizer.vocab, shardTokens: options.shardTokens });
  try {
    const separatorBytes = new TextEncoder().encode(separator);
    const separatorTokens = tokenizer.encode(separator);
    let cutter = blockCutter();
    let last = 0;
    const read = corpus.read((done) => {
      if (done - last >= 2 ** 20) onProgress?.(done, corpus.size);
      if (done - last >= 2 ** 20) last = done;
    });
    for await (const { bytes, end } of read) {
      const blocks = cutter.push(bytes);
      if (end) blocks.push(...cutter.end());
      for (const block of blocks) await writer.write(tokenizer.encodeBytes(block), block.length);
      if (!end) continue;
      if (separator) await writer.write(separatorTokens, separatorBytes.length);
      writer.endDocument();
      cutter = blockCutter();
    }
    if (!writer.written()) throw new Error(`data: needs text, and "${corpus.name}" has none`);
    const made = { corpus: corpus.name, tokenizer: tokenizer.name, tokenizerHash, sources: corpus.sources };
    await writer.finish({ identity, made });
  } catch (error) {
    await writer.close();
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
  await writer.close();
  // Another process may have been as fast: then its folder is as good.
  await rename(temporary, folder).catch(async (error: NodeJS.ErrnoException) => {
    await rm(temporary, { recursive: true, force: true });
    if (!(await stat(join(folder, MANIFEST)).catch(() => undefined))) throw error;
  });
  onProgress?.(corpus.size, corpus.size);
  return openShards(folder);
}

/** What the cache has, unless it is another corpus's or damaged. */
async function openWhole(folder: string, identity: string): Promise<ShardedTokens | undefined> {
  const found = await openShards(folder).catch(() => undefined);
  if (found?.manifest.identity === identity) return found;
  found?.close();
  return undefined;
}

const hash = (text: string) => createHash("sha256").update(text).digest("hex");
