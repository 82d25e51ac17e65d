// A run folder as one file. Stored without compression: weights hardly shrink.

import type { RunFile } from "./run-folders";

/** Bytes handled at once, so that the page stays responsive. */
const PIECE = 2 ** 20;

/** A zip file with the files of a run below a folder of its name. */
export async function zipRun(name: string, files: RunFile[]): Promise<Blob> {
  const { Zip, ZipPassThrough } = await import("fflate");
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const zip = new Zip((error, data) => {
    if (error) throw error;
    parts.push(data as Uint8Array<ArrayBuffer>);
  });
  for (const { path, content } of files) {
    const entry = new ZipPassThrough(`${name}/${path}`);
    zip.add(entry);
    for (let at = 0; at < content.size; at += PIECE) {
      entry.push(new Uint8Array(await content.slice(at, at + PIECE).arrayBuffer()));
    }
    entry.push(new Uint8Array(), true);
  }
  zip.end();
  return new Blob(parts, { type: "application/zip" });
}

/** The files of a zip file. */
export async function unzip(file: Blob): Promise<RunFile[]> {
  const { unzipSync } = await import("fflate");
  try {
    const entries = Object.entries(unzipSync(new Uint8Array(await file.arrayBuffer())));
    return entries
      .filter(([path]) => !path.endsWith("/"))
      .map(([path, bytes]) => ({ path, content: new Blob([bytes as Uint8Array<ArrayBuffer>]) }));
  } catch (error) {
    throw new Error(`import: needs a zip file of a run folder: ${(error as Error).message}`);
  }
}
