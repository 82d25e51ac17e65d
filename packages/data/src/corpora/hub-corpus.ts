import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { listFiles } from "@huggingface/hub";
import type { Corpus } from "./corpus";
import { download } from "./download";
import { type DownloadPlaces, HUB } from "./download-places";
import { filesCorpus } from "./file-corpus";
import { inside } from "./inside";

/** Kinds of files that hold rows or text, the one to prefer first: data sets often come in more than one. */
const KINDS = [/\.parquet$/i, /\.(jsonl|ndjson)(\.gz)?$/i, /\.[ct]sv(\.gz)?$/i, /\.txt(\.gz)?$/i];

interface HubFile {
  path: string;
  size: number;
  sha256?: string;
}

/**
 * A data set of Hugging Face's hub: `owner/name`, or `owner/name/folder` where it has several parts. Its files of one split
 * are downloaded to the cache and checked against the hub's checksums.
 */
export async function hubCorpus(
  id: string,
  places: DownloadPlaces,
  options: { column?: string; split?: string } = {},
): Promise<Corpus> {
  const [, owner, name, part = ""] = /^([\w.-]+)\/([\w.-]+)(?:\/(.+))?$/.exec(id) ?? [];
  if (!owner || !name) throw new Error(`data: needs hf:owner/name or hf:owner/name/folder, got "hf:${id}"`);
  const { hub = HUB, cache, onDownload } = places;
  const folder = inside(join(cache, "corpora", "hub"), `${owner}--${name}`);
  const files = chooseFiles(
    await list(`${owner}/${name}`, hub, folder),
    `hf:${owner}/${name}`,
    part,
    options.split ?? "train",
  );
  const paths: string[] = [];
  const checksums: string[] = [];
  for (const file of files) {
    const path = inside(folder, `files/${file.path}`);
    const address = file.path.split("/").map(encodeURIComponent).join("/");
    const { sha256 } = await download({
      url: `${hub}/datasets/${owner}/${name}/resolve/main/${address}`,
      path,
      size: file.size,
      sha256: file.sha256,
      onProgress: onDownload && ((done, total) => onDownload(file.path, done, total)),
    });
    paths.push(path);
    checksums.push(sha256);
  }
  return filesCorpus(`hf:${id}`, paths, { column: options.column, checksums });
}

/** The files of a data set; the last list is kept for when there is no network. */
async function list(dataset: string, hub: string, folder: string): Promise<HubFile[]> {
  const kept = join(folder, "list.json");
  try {
    const files: HubFile[] = [];
    for await (const entry of listFiles({ repo: { type: "dataset", name: dataset }, recursive: true, hubUrl: hub })) {
      if (entry.type === "file")
        files.push({ path: entry.path, size: entry.lfs?.size ?? entry.size, sha256: entry.lfs?.oid });
    }
    await mkdir(dirname(kept), { recursive: true });
    await writeFile(kept, JSON.stringify(files));
    return files;
  } catch (error) {
    const text = await readFile(kept, "utf8").catch(() => undefined);
    if (text !== undefined) return JSON.parse(text) as HubFile[];
    const { message, cause } = error as Error & { cause?: { code?: string } };
    throw new Error(
      `data: cannot list hf:${dataset} at ${hub} (${cause?.code ?? message}): without a network, pass the path of its files instead`,
    );
  }
}

function chooseFiles(files: HubFile[], name: string, part: string, split: string): HubFile[] {
  const inPart = files.filter(({ path }) => !part || path === part || path.startsWith(`${part}/`));
  const kind = KINDS.find((kind) => inPart.some(({ path }) => kind.test(path)));
  const readable = inPart.filter(({ path }) => kind?.test(path));
  if (readable.length === 0) {
    const where = part ? ` in "${part}"` : "";
    throw new Error(`data: needs parquet, JSON lines, CSV or text files, and ${name} has none${where}`);
  }
  const ofSplit = (wanted: string) =>
    readable.filter(({ path }) => new RegExp(`(^|[/_.-])${wanted}([/_.-]|$)`, "i").test(path));
  const isSplit = ["train", "test", "valid", "validation", "dev"].some((word) => ofSplit(word).length > 0);
  const chosen = isSplit ? ofSplit(split.replace(/[^\w]/g, "\\$&")) : readable;
  if (chosen.length === 0) {
    throw new Error(
      `data: needs files of the split "${split}", and ${name} has ${readable
        .slice(0, 8)
        .map(({ path }) => path)
        .join(", ")}`,
    );
  }
  const folders = [...new Set(chosen.map(({ path }) => dirname(path)))];
  if (folders.length > 1) {
    throw new Error(
      `data: ${name} has several parts, and needs one of them: ${folders
        .slice(0, 12)
        .map((folder) => `${name}/${folder}`)
        .join(", ")}`,
    );
  }
  return chosen.sort((a, b) => (a.path < b.path ? -1 : 1));
}
