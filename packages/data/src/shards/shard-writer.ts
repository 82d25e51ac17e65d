import { type FileHandle, mkdir, open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DOCUMENTS, MANIFEST, type ShardManifest, shardName } from "./manifest";

/** Tokens of a shard: 2^28, so that a corpus of 100 GB has a few hundred files. */
const SHARD_TOKENS = 2 ** 28;

/** How shards are written. */
export interface ShardWriterOptions {
  vocab: number;
  /** Most tokens of a shard. */
  shardTokens?: number;
}

/** Writes tokens to shards, one after the other. */
export interface ShardWriter {
  /** Append tokens that stand for so many bytes of text. */
  write(tokens: Uint32Array, bytes: number): Promise<void>;
  /** The document that was written ends here. */
  endDocument(): void;
  /** Tokens that were written. */
  written(): number;
  /** Sync everything and write the manifest. */
  finish(about: Pick<ShardManifest, "identity" | "made">): Promise<ShardManifest>;
  /** Close what is open. */
  close(): Promise<void>;
}

const bytesOf = (array: ArrayBufferView) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

const ARRAYS = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array };

/** Open a writer in a folder of its own. */
export async function shardWriter(folder: string, options: ShardWriterOptions): Promise<ShardWriter> {
  const { vocab, shardTokens = SHARD_TOKENS } = options;
  const width = vocab <= 2 ** 8 ? 1 : vocab <= 2 ** 16 ? 2 : 4;
  await mkdir(folder, { recursive: true });
  const shards: ShardManifest["shards"] = [];
  const documents = await open(join(folder, DOCUMENTS), "w");
  let starts: number[] = [];
  let file: FileHandle | undefined;
  let total = 0;
  let totalBytes = 0;
  let documentCount = 0;
  let documentStart = 0;

  async function nextFile(): Promise<FileHandle> {
    await file?.sync();
    await file?.close();
    const name = shardName(shards.length, width);
    shards.push({ file: name, tokens: 0 });
    return open(join(folder, name), "w");
  }
  async function flushDocuments(): Promise<void> {
    if (starts.length > 0) await documents.writeFile(bytesOf(BigUint64Array.from(starts, BigInt)));
    starts = [];
  }

  return {
    async write(tokens, bytes) {
      for (let at = 0; at < tokens.length; ) {
        if (!file || shards.at(-1)!.tokens >= shardTokens) file = await nextFile();
        const shard = shards.at(-1)!;
        const part = tokens.subarray(at, at + shardTokens - shard.tokens);
        await file.writeFile(bytesOf(ARRAYS[width].from(part)));
        shard.tokens += part.length;
        at += part.length;
      }
      total += tokens.length;
      totalBytes += bytes;
      if (starts.length >= 2 ** 16) await flushDocuments();
    },
    endDocument() {
      if (total === documentStart) return;
      starts.push(documentStart);
      documentStart = total;
      documentCount++;
    },
    written: () => total,
    async finish(about) {
      await flushDocuments();
      await file?.sync();
      await documents.sync();
      const manifest: ShardManifest = {
        format: 1,
        ...about,
        width,
        vocab,
        tokens: total,
        bytes: totalBytes,
        documents: documentCount,
        shards,
      };
      await writeFile(join(folder, MANIFEST), `${JSON.stringify(manifest, undefined, 2)}\n`, { flush: true });
      return manifest;
    },
    async close() {
      await file?.close();
      await documents.close();
    },
  };
}
