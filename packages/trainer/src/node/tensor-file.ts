import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { decodeHeader, encodeHeader, headerBytes, tensorBytes } from "@webmoe/tensor/files";
import type { TensorEntry, TensorReader } from "../checkpoint/run-store";
import { tensorReader } from "../checkpoint/tensor-reader";

/** What a file holds, to know it by later. */
export interface WrittenFile {
  bytes: number;
  /** Of the whole file, in hexadecimal digits. */
  sha256: string;
}

/** Write tensors to a safetensors file one after the other and sync it. */
export async function writeTensors(path: string, tensors: TensorEntry[]): Promise<WrittenFile> {
  const { header, fileBytes } = encodeHeader(tensors, { format: "pt" });
  const hash = createHash("sha256").update(header);
  const file = await open(path, "w");
  try {
    await file.writeFile(header);
    for (const { name, dtype, shape, data } of tensors) {
      const bytes = await data();
      const expected = tensorBytes({ dtype, shape });
      if (bytes.length !== expected)
        throw new Error(`writeTensors: "${name}" needs ${expected} bytes, got ${bytes.length}`);
      hash.update(bytes);
      await file.writeFile(bytes);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return { bytes: fileBytes, sha256: hash.digest("hex") };
}

/** Open a safetensors file: the header is read and checked now, each tensor when it is asked for. */
export async function readTensors(path: string): Promise<TensorReader> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const start = await readBytes(file, 0, Math.min(8, size));
    const header = await readBytes(file, 0, headerBytes(start, size));
    const { tensors } = decodeHeader(header, size);
    return tensorReader(path, tensors, async (from, to) => {
      const own = await open(path, "r");
      try {
        return await readBytes(own, from, to - from);
      } finally {
        await own.close();
      }
    });
  } finally {
    await file.close();
  }
}

/** One call reads at most 2 GiB, and may read less than asked for. */
async function readBytes(file: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; ) {
    const { bytesRead } = await file.read(bytes, at, Math.min(length - at, 2 ** 30), position + at);
    if (bytesRead === 0)
      throw new Error(`readTensors: needs ${length} bytes at ${position}, and the file ends after ${at}`);
    at += bytesRead;
  }
  return bytes;
}
