import { join } from "node:path";

/** What a folder of shards holds: tokens of a corpus, in files of numbers of equal width. */
export interface ShardManifest {
  format: 1;
  /** Hash of what the tokens were made from: the corpus, the tokenizer, and how documents are joined. */
  identity: string;
  /** What `identity` is the hash of, for people. */
  made: { corpus: string; tokenizer: string; tokenizerHash: string; sources: string[] };
  /** Width of a token in bytes; least significant first. */
  width: 1 | 2 | 4;
  vocab: number;
  tokens: number;
  /** Bytes of text that the tokens stand for. */
  bytes: number;
  documents: number;
  /** Shards in order. */
  shards: { file: string; tokens: number }[];
}

/** Name of the manifest in its folder. */
export const MANIFEST = "manifest.json";

/** Name of the list of where documents begin: one unsigned number of 64 bits each, least significant first. */
export const DOCUMENTS = "documents.u64";

const SHARD = /^\d{5,}\.u(8|16|32)$/;

/** Name of a shard. */
export const shardName = (index: number, width: number) => `${`${index}`.padStart(5, "0")}.u${8 * width}`;

/** Where a shard lies. Names that are not a shard's own are refused: a manifest cannot lead out of its folder. */
export function shardPath(folder: string, file: string): string {
  if (!SHARD.test(file)) throw new Error(`shards: needs file names such as 00000.u16, and ${folder} lists "${file}"`);
  return join(folder, file);
}

/** Check what was read from a manifest's file. */
export function checkManifest(json: unknown, folder: string): ShardManifest {
  const manifest = json as ShardManifest;
  const wrong = (what: string) =>
    new Error(`shards: needs ${what}, and ${join(folder, MANIFEST)} has none: delete the folder`);
  if (typeof json !== "object" || json === null || manifest.format !== 1) throw wrong("a manifest of format 1");
  if (typeof manifest.identity !== "string") throw wrong("an identity");
  if (![1, 2, 4].includes(manifest.width)) throw wrong("a width of 1, 2 or 4 bytes");
  if (!Array.isArray(manifest.shards)) throw wrong("a list of shards");
  for (const name of ["vocab", "tokens", "bytes", "documents"] as const) {
    if (!isCount(manifest[name])) throw wrong(`a whole number for ${name}`);
  }
  for (const shard of manifest.shards) {
    if (typeof shard?.file !== "string" || !isCount(shard.tokens)) throw wrong("whole shards");
    shardPath(folder, shard.file);
  }
  const sum = manifest.shards.reduce((total, shard) => total + shard.tokens, 0);
  if (sum !== manifest.tokens) throw wrong(`shards of ${manifest.tokens} tokens together`);
  return manifest;
}

const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
