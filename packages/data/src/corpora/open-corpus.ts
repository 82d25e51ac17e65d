import { cacheFolder } from "../cache-folder";
import { joinBytes } from "../shards/block-cutter";
import type { Corpus } from "./corpus";
import type { DownloadPlaces } from "./download-places";
import { pathCorpus } from "./file-corpus";
import { hubCorpus } from "./hub-corpus";
import { CORPORA, namedCorpus } from "./named-corpora";

/** Which texts are meant, and where downloads come from and go to. */
export interface CorpusOptions extends Partial<DownloadPlaces> {
  /** Column of JSON lines, CSV and parquet with the text; default "text", or the only one that holds text. */
  column?: string;
  /** Split of a data set on the hub; default "train". */
  split?: string;
}

/**
 * A corpus by its name in `CORPORA`, by path (a file, a folder, a glob pattern), or as `hf:owner/name` on Hugging Face's hub.
 * Text, JSON lines, CSV, TSV and parquet are read. What is missing is an error that names what there could be.
 */
export async function openCorpus(nameOrPath: string, options: CorpusOptions = {}): Promise<Corpus> {
  const places = { ...options, cache: options.cache ?? cacheFolder() };
  if (CORPORA.includes(nameOrPath)) return namedCorpus(nameOrPath, places);
  if (nameOrPath.startsWith("hf:")) return hubCorpus(nameOrPath.slice(3), places, options);
  const found = await pathCorpus(nameOrPath, options);
  if (found) return found;
  throw new Error(
    `data: needs a file, a folder, a pattern, hf:owner/name or one of ${CORPORA.join(", ")}, and there is no "${nameOrPath}"`,
  );
}

/** All bytes of a corpus at once, its documents one after the other, joined as for training. */
export async function readCorpus(nameOrPath: string, options: CorpusOptions = {}): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const corpus = await openCorpus(nameOrPath, options);
  const separator = new TextEncoder().encode(corpus.separator);
  for await (const { bytes, end } of corpus.read()) {
    parts.push(bytes);
    if (end && separator.length > 0) parts.push(separator);
  }
  return joinBytes(parts);
}
