import { closeSync, openSync, readSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { sourceRange, type TokenSource } from "../token-source";
import { checkManifest, DOCUMENTS, MANIFEST, type ShardManifest, shardPath } from "./manifest";

/** Tokens in files, read where they are asked for: memory does not grow with the corpus. */
export interface ShardedTokens extends TokenSource {
  /** What the files hold, and of which text and tokenizer. */
  readonly manifest: ShardManifest;
  /** Token at which a document begins; documents are numbered from 0. */
  documentStart(index: number): number;
  /** Close the files. */
  close(): void;
}

/** Open a folder of shards. A damaged folder is an error that names it. */
export async function openShards(folder: string): Promise<ShardedTokens> {
  const manifest = checkManifest(JSON.parse(await readFile(join(folder, MANIFEST), "utf8")), folder);
  const { width, tokens: length, documents } = manifest;
  const shards = manifest.shards.map((shard) => ({ path: shardPath(folder, shard.file), tokens: shard.tokens }));
  for (const shard of shards) await checkSize(shard.path, width * shard.tokens);
  await checkSize(join(folder, DOCUMENTS), 8 * documents);

  let files: number[] = [];
  const open = (path: string) => {
    const file = openSync(path, "r");
    files.push(file);
    return file;
  };
  const documentFile = open(join(folder, DOCUMENTS));
  let first = 0;
  const ranges = shards.map(({ path, tokens }) => {
    const range = { file: open(path), first, end: first + tokens };
    first = range.end;
    return range;
  });
  const read = (start: number, into: Uint32Array) => {
    for (const { file, first, end } of ranges) {
      if (end <= start || first >= start + into.length) continue;
      const from = Math.max(start, first);
      const part = into.subarray(from - start, Math.min(end, start + into.length) - start);
      const bytes = readAt(file, (from - first) * width, part.length * width);
      const view = new DataView(bytes.buffer);
      for (let i = 0; i < part.length; i++) {
        part[i] = width === 1 ? bytes[i]! : width === 2 ? view.getUint16(2 * i, true) : view.getUint32(4 * i, true);
      }
    }
  };
  return {
    ...sourceRange({ length, read, subarray: () => undefined as never }, 0),
    manifest,
    documentStart(index) {
      if (!(index >= 0 && index < documents))
        throw new Error(`shards: needs a document below ${documents}, got ${index}`);
      return Number(new DataView(readAt(documentFile, 8 * index, 8).buffer).getBigUint64(0, true));
    },
    close() {
      for (const file of files) closeSync(file);
      files = [];
    },
  };
}

function readAt(file: number, position: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; ) {
    const count = readSync(file, bytes, at, length - at, position + at);
    if (count === 0) throw new Error("shards: a file became shorter while it was open");
    at += count;
  }
  return bytes;
}

async function checkSize(path: string, size: number): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found?.size !== size) {
    throw new Error(`shards: needs ${size} bytes in ${path}, got ${found ? found.size : "no file"}: delete its folder`);
  }
}
