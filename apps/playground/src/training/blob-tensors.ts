import { decodeHeader, headerBytes } from "@webmoe/tensor";
import type { Checkpoint, TensorReader } from "@webmoe/trainer";
import type { CheckpointFiles } from "./messages";

/** A checkpoint that the trainer reads from files of the page. */
export async function readCheckpoint({ step, state, model, optimizer }: CheckpointFiles): Promise<Checkpoint> {
  return { step, state, model: await blobTensors(model), optimizer: await blobTensors(optimizer) };
}

/** The tensors of a safetensors file, each read when it is asked for. */
async function blobTensors(file: Blob): Promise<TensorReader> {
  const bytes = async (from: number, to: number) => new Uint8Array(await file.slice(from, to).arrayBuffer());
  const start = await bytes(0, 8);
  const { tensors } = decodeHeader(await bytes(0, headerBytes(start, file.size)), file.size);
  return {
    names: () => [...tensors.keys()],
    shape: (name) => tensors.get(name)?.shape,
    dtype: (name) => tensors.get(name)?.dtype,
    async read(name) {
      const info = tensors.get(name);
      if (!info) throw new Error(`checkpoint: has no tensor "${name}"`);
      return bytes(info.start, info.end);
    },
  };
}
