import { fileTensors, type Model } from "@webmoe/model";
import { type DeviceTensor, readTensor, sizeOf, writeTensor } from "@webmoe/tensor";
import type { TensorReader } from "./run-store";
import { readValues } from "./tensor-values";

/** How a model starts from another's tensors. */
export interface StartOptions {
  /**
   * Start every expert of a layer from the feed-forward layer that a dense model has there, and the routers fresh (Komatsuzaki et
   * al. 2022, arXiv 2212.05055, section 3). Where a token's weights sum to one, the model begins as the dense one was.
   */
  upcycle?: boolean;
}

/** A head may differ between tasks, and is then left as it is. */
const HEADS = ["lm_head.weight", "score.weight"];

/**
 * Give parameters the values of a file, by name. Every tensor below the head must be there with its shape; a head that the file
 * lacks or has for another number of classes, and with `upcycle` routers, keep their values. Resolves with the names of what was kept.
 */
export async function startFrom(
  model: Model,
  parameters: unknown,
  reader: TensorReader,
  { upcycle = false }: StartOptions = {},
): Promise<string[]> {
  const kept: string[] = [];
  const whole = new Map<DeviceTensor, Float32Array>();
  for (const { name, shape, leaf, start } of fileTensors<DeviceTensor>(model.config, parameters)) {
    const source = sourceOf(name, reader, upcycle);
    if (!source || (HEADS.includes(name) && reader.shape(source)!.join() !== shape.join())) {
      kept.push(name);
      continue;
    }
    const values = whole.get(leaf) ?? (await readTensor(leaf));
    whole.set(leaf, values);
    values.set((await readValues(reader, source, shape)).subarray(0, sizeOf(shape)), start);
  }
  for (const [leaf, values] of whole) writeTensor(leaf, values);
  return kept;
}

/** The name of the tensor that one starts from; undefined where it keeps its value. */
function sourceOf(name: string, reader: TensorReader, upcycle: boolean): string | undefined {
  if (reader.shape(name)) return name;
  if (HEADS.includes(name)) return undefined;
  const dense = name.replace(/\.mlp\.experts\.\d+\./, ".mlp.");
  const isDense = dense !== name && reader.shape(dense) !== undefined;
  const isRouter = /\.mlp\.gate\.|^model\.router\./.test(name);
  if (upcycle && isDense) return dense;
  if (upcycle && isRouter) return undefined;
  throw new Error(
    `init-from: needs a tensor "${name}", and the checkpoint has ${
      isDense
        ? `a dense layer, "${dense}": --upcycle starts every expert from it`
        : "none: it is of another model or router"
    }`,
  );
}
