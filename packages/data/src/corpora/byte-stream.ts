import { createReadStream } from "node:fs";
import { pipeline, type Readable } from "node:stream";
import { createGunzip } from "node:zlib";

/** The bytes of a file, unpacked where its name ends in .gz; `count` is told how many were read from the disk. */
export async function* byteStream(path: string, count?: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  const file = createReadStream(path, { highWaterMark: 2 ** 18 });
  let stream: Readable = file;
  // Gunzip writes to its own stream; an error of either ends the loop.
  if (/\.gz$/i.test(path)) stream = pipeline(file, createGunzip({ chunkSize: 2 ** 18 }), () => {});
  let counted = 0;
  try {
    for await (const chunk of stream) {
      yield new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      count?.(file.bytesRead - counted);
      counted = file.bytesRead;
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code?.startsWith("Z_")) throw new Error(`data: needs a whole gzip file, and "${path}" is none: ${message}`);
    throw error;
  } finally {
    file.destroy();
  }
}
