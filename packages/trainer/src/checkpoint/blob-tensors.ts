import { decodeHeader, headerBytes } from "@webmoe/tensor/files";
import type { TensorReader } from "./run-store";
import { tensorReader } from "./tensor-reader";

/** The tensors of a safetensors file, each read when it is asked for. A damaged header is an error. */
export async function blobTensors(file: Blob): Promise<TensorReader> {
  const bytes = async (from: number, to: number) => new Uint8Array(await file.slice(from, to).arrayBuffer());
  const { tensors } = decodeHeader(await bytes(0, headerBytes(await bytes(0, 8), file.size)), file.size);
  return tensorReader("checkpoint", tensors, bytes);
}
