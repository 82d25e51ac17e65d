import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { open, type ZipFile } from "yauzl";

/** Unpack one file of a zip archive to a path of the caller's; its name in the archive leads nowhere. */
export async function unzipEntry(archive: string, name: string, path: string, size: number): Promise<void> {
  const zip = await openZip(archive);
  try {
    const stream = await new Promise<NodeJS.ReadableStream>((resolve, reject) => {
      zip.on("error", reject);
      zip.on("end", () => reject(new Error(`has no "${name}"`)));
      zip.on("entry", (entry) => {
        if (entry.fileName !== name) return zip.readEntry();
        if (entry.uncompressedSize !== size) {
          return reject(new Error(`has a "${name}" of ${entry.uncompressedSize} bytes, and it needs ${size}`));
        }
        zip.openReadStream(entry, (error, stream) => (error ? reject(error) : resolve(stream)));
      });
      zip.readEntry();
    });
    const partial = `${path}.${process.pid}.partial`;
    try {
      await pipeline(stream, createWriteStream(partial, { flush: true } as object));
      await rename(partial, path);
    } finally {
      await rm(partial, { force: true });
    }
  } catch (error) {
    throw new Error(`data: needs a zip archive of ${name}, and ${archive}: ${(error as Error).message}`);
  } finally {
    zip.close();
  }
}

function openZip(archive: string): Promise<ZipFile> {
  return new Promise((resolve, reject) => {
    open(archive, { lazyEntries: true, autoClose: false }, (error, zip) =>
      error ? reject(new Error(`data: needs a zip archive, and ${archive} is none: ${error.message}`)) : resolve(zip),
    );
  });
}
