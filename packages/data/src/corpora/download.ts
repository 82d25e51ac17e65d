// A download goes to a file of a temporary name, which a later try goes on with: the server is asked for the rest, on the
// condition that its file is still the one that was begun. When all is there the file is synced and renamed, and its size and
// SHA-256 are written beside it, which later uses and later downloads have to agree with.

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, mkdir, open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** What to download, and where to. */
export interface DownloadOptions {
  /** Where it is, over http or https. */
  url: string;
  /** The file that it is kept in. */
  path: string;
  /** Known beforehand, and checked. */
  size?: number;
  /** What its bytes must hash to, in hexadecimal digits; another hash is an error. */
  sha256?: string;
  /** Told bytes done and, where the server says it, bytes in all. */
  onProgress?(done: number, total: number | undefined): void;
  /** Tries in all when the connection breaks, and milliseconds before the second one. */
  tries?: number;
  /** Milliseconds to wait before the second try; twice as long before each further one. */
  pause?: number;
}

/** What is known of a file that was downloaded whole. */
export interface DownloadRecord {
  /** Where it came from. */
  url: string;
  /** Its length in bytes. */
  size: number;
  /** The hash of its bytes, in hexadecimal digits. */
  sha256: string;
  /** When it was written, so that an untouched file is not read again to check it. */
  mtimeMs: number;
}

/**
 * Make sure that a file is there, whole, and return its record. One that was put there by hand is taken as it is, the first
 * time. Another checksum than was known or recorded is an error.
 */
export async function download(options: DownloadOptions): Promise<DownloadRecord> {
  const { url, path, onProgress } = options;
  const recorded = await readRecord(path);
  const known = { sha256: options.sha256 ?? recorded?.sha256, size: options.size ?? recorded?.size };
  const found = await stat(path).catch(() => undefined);
  if (found) {
    if (recorded && recorded.mtimeMs === found.mtimeMs && recorded.size === found.size) return recorded;
    return check(path, url, known);
  }
  await mkdir(dirname(path), { recursive: true });
  const partial = `${path}.partial`;
  await fetchWhole({ ...options, path: partial });
  onProgress?.((await stat(partial)).size, (await stat(partial)).size);
  const record = await check(partial, url, known).catch(async (error) => {
    await rm(partial, { force: true });
    throw error;
  });
  await rename(partial, path);
  await rm(`${partial}.json`, { force: true });
  await writeFile(`${path}.json`, JSON.stringify(record), { flush: true });
  return record;

  async function check(file: string, url: string, known: { size?: number; sha256?: string }): Promise<DownloadRecord> {
    const { size, mtimeMs } = await stat(file);
    const differs = (what: string, wanted: unknown, got: unknown) =>
      new Error(
        `data: ${path} needs ${what} ${wanted}, got ${got}: ` +
          `delete it${recorded ? ` (and ${path}.json, if the file at ${url} is meant to have changed)` : ""} and download again`,
      );
    if (known.size !== undefined && size !== known.size) throw differs("size", known.size, size);
    const sha256 = await sha256Of(file);
    if (known.sha256 !== undefined && sha256 !== known.sha256) throw differs("sha256", known.sha256, sha256);
    const record = { url, size, sha256, mtimeMs };
    if (file === path) await writeFile(`${path}.json`, JSON.stringify(record), { flush: true });
    return record;
  }
}

async function readRecord(path: string): Promise<DownloadRecord | undefined> {
  const text = await readFile(`${path}.json`, "utf8").catch(() => undefined);
  try {
    const record = JSON.parse(text ?? "null") as DownloadRecord | null;
    return record && typeof record.sha256 === "string" && Number.isSafeInteger(record.size) ? record : undefined;
  } catch {
    return undefined;
  }
}

/** SHA-256 of a file, in hexadecimal. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) hash.update(chunk);
  return hash.digest("hex");
}

/** Thrown for what another try would not change. */
class Refused extends Error {}

async function fetchWhole(options: DownloadOptions): Promise<void> {
  const { url, path: partial, tries = 5, pause = 500 } = options;
  const target = partial.slice(0, -".partial".length);
  const file = await open(partial, "r+").catch(() => open(partial, "w+"));
  try {
    for (let attempt = 1; ; attempt++) {
      const before = (await file.stat()).size;
      try {
        await fetchRest(file, options);
        await file.sync();
        return;
      } catch (error) {
        const { size } = await file.stat();
        // A try that brought something on is followed by as many again.
        if (size > before) attempt = 1;
        if (error instanceof Refused || attempt >= tries) {
          const have = size > 0 ? ` ${size} bytes are kept, and the next try goes on from there;` : "";
          throw new Error(
            `data: cannot download ${url} (${reason(error)}):${have} without a network, put the file at ${target}`,
          );
        }
        await sleep(pause * 2 ** (attempt - 1));
      }
    }
  } finally {
    await file.close();
  }
}

/** One request for what is missing, written to the end of the file. */
async function fetchRest(file: FileHandle, { url, path, onProgress }: DownloadOptions): Promise<void> {
  let { size: at } = await file.stat();
  const version = at > 0 ? await readFile(`${path}.json`, "utf8").catch(() => undefined) : undefined;
  // Without a mark of the server's version the rest could be another file's.
  const resume = at > 0 && version !== undefined;
  const headers: Record<string, string> = { "accept-encoding": "identity" };
  if (resume) Object.assign(headers, { range: `bytes=${at}-`, "if-range": version });
  const response = await fetch(url, { headers });
  try {
    const [, start, whole] =
      /^bytes (\d+|\*)(?:-\d+)?\/(\d+|\*)$/.exec(response.headers.get("content-range") ?? "") ?? [];
    if (response.status === 416 && Number(whole) === at) return;
    if (response.status === 416) await file.truncate(0);
    if (!response.ok || !response.body) {
      const message = `${response.status} ${response.statusText}`;
      throw response.status >= 400 && response.status < 500 && ![408, 416, 429].includes(response.status)
        ? new Refused(message)
        : new Error(message);
    }
    const goesOn = response.status === 206 && Number(start) === at;
    if (response.status === 206 && !goesOn) throw new Error(`the server sent another range than ${at}-`);
    if (!goesOn) {
      at = 0;
      await file.truncate(0);
      const mark = response.headers.get("etag") ?? response.headers.get("last-modified");
      if (mark && !mark.startsWith("W/")) await writeFile(`${path}.json`, mark);
      else await rm(`${path}.json`, { force: true });
    }
    const length = response.headers.get("content-length");
    const total = goesOn ? Number(whole) || undefined : length ? Number(length) : undefined;
    for (const reader = response.body.getReader(); ; ) {
      const { value: chunk, done } = await reader.read();
      if (done) break;
      for (let written = 0; written < chunk.length; ) {
        written += (await file.write(chunk, written, chunk.length - written, at + written)).bytesWritten;
      }
      at += chunk.length;
      onProgress?.(at, total);
    }
    if (total !== undefined && at !== total) throw new Error(`got ${at} of ${total} bytes`);
  } finally {
    // A body with a reader refuses to be cancelled: then the reader has come to its end, or to an error.
    await response.body?.cancel().catch(() => {});
  }
}

/** What went wrong: `fetch` hides it one level down. */
function reason(error: unknown): string {
  const { message, cause } = error as Error & { cause?: { code?: string; message?: string } };
  return cause?.code ?? cause?.message ?? message;
}
