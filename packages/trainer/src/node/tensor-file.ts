import { open } from "node:fs/promises";
import { decodeHeader, encodeHeader, headerBytes } from "@webmoe/model";
import type { TensorEntry, TensorReader } from "../run-store";

/** Write tensors to a safetensors file one after the other and sync it. Resolves with its size in bytes. */
export async function writeTensors(path: string, tensors: TensorEntry[]): Promise<number> {
  const { header, fileBytes } = encodeHeader(tensors, { format: "pt" });
  const file = await open(path, "w");
  try {
    await file.writeFile(header);
    for (const { name, shape, data } of tensors) {
      const bytes = await data();
      const expected = shape.reduce((product, extent) => product * extent, 4);
      if (bytes.length !== expected) throw new Error(`writeTensors: "${name}" needs ${expected} bytes, got ${bytes.length}`);
      await file.writeFile(bytes);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return fileBytes;
}

/** Open a safetensors file: the header is read and checked now, each tensor when it is asked for. */
export async function readTensors(path: string): Promise<TensorReader> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const { buffer: start } = await file.read(new Uint8Array(8), 0, 8, 0);
    const header = new Uint8Array(headerBytes(start, size));
    await file.read(header, 0, header.length, 0);
    const { tensors } = decodeHeader(header, size);
    return {
      names: () => [...tensors.keys()],
      shape: (name) => tensors.get(name)?.shape,
      async read(name) {
        const info = tensors.get(name);
        if (!info) throw new Error(`${path}: has no tensor "${name}"`);
        const bytes = new Uint8Array(info.end - info.start);
        const own = await open(path, "r");
        try {
          await own.read(bytes, 0, bytes.length, info.start);
        } finally {
          await own.close();
        }
        return bytes;
      },
    };
  } finally {
    await file.close();
  }
}
