import { fromBfloat16, fromFloat16 } from "@webmoe/tensor/files";
import type { TensorReader } from "./run-store";

/** The numbers of a tensor in a file, those of 16 bits widened. One that is missing or of another shape is an error. */
export async function readValues(reader: TensorReader, name: string, shape: readonly number[]): Promise<Float32Array> {
  const found = reader.shape(name);
  if (!found) throw new Error(`checkpoint: has no tensor "${name}": it is of another model or router`);
  if (found.join() !== shape.join()) {
    throw new Error(
      `checkpoint: "${name}" needs shape [${shape.join(", ")}], got [${found.join(", ")}]: it is of another model`,
    );
  }
  const { buffer } = Uint8Array.from(await reader.read(name)); // a copy of its own: views need aligned starts
  const type = reader.dtype(name);
  if (type === "BF16") return fromBfloat16(new Uint16Array(buffer));
  if (type === "F16") return fromFloat16(new Uint16Array(buffer));
  return new Float32Array(buffer);
}
