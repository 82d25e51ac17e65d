import type { TensorInfo } from "@webmoe/tensor/files";
import type { TensorReader } from "./run-store";

/** The tensors of a safetensors file called `name`, whose header says where they lie; `read` gets the bytes of one. */
export function tensorReader(
  name: string,
  tensors: ReadonlyMap<string, TensorInfo>,
  read: (from: number, to: number) => Promise<Uint8Array>,
): TensorReader {
  return {
    names: () => [...tensors.keys()],
    shape: (tensor) => tensors.get(tensor)?.shape,
    dtype: (tensor) => tensors.get(tensor)?.dtype,
    async read(tensor) {
      const info = tensors.get(tensor);
      if (!info) throw new Error(`${name}: has no tensor "${tensor}"`);
      return read(info.start, info.end);
    },
  };
}
