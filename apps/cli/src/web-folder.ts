import { writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Tokenizer } from "@webmoe/data";
import { readValues, type TensorEntry, type TensorReader } from "@webmoe/trainer";
import { writeTensors } from "@webmoe/trainer/node";
import type { Config } from "./config/schema";
import { UsageError } from "./errors";
import { EXPORT_TYPES, type ExportType } from "./export-types";
import { writeNewFolder } from "./new-folder";

/**
 * Write what `openModel` of @webmoe/browser loads: config.json, which says as a run's does what the model is;
 * model.safetensors; and tokenizer.json where tokens are not bytes.
 */
export async function writeWebFolder(
  path: string,
  {
    config,
    tensors,
    tokenizer,
    type,
  }: { config: Config; tensors: TensorReader; tokenizer: Tokenizer; type: ExportType },
): Promise<void> {
  const { task, model, moe, router, tokenizer: named } = config;
  if (task !== "language") throw new UsageError("export: needs a language model, and this run classifies texts");
  // Of a router's file the name alone: where it lies on this machine is nobody's business.
  const { name, ...options } = router;
  const saved = {
    config: { model, moe, router: { name: basename(name), ...options }, tokenizer: { name: named.name } },
  };
  await writeNewFolder(path, async (folder) => {
    await writeFile(join(folder, "config.json"), `${JSON.stringify(saved, null, 2)}\n`);
    await writeTensors(join(folder, "model.safetensors"), entries(tensors, type));
    if (named.name !== "bytes") {
      await writeFile(join(folder, "tokenizer.json"), `${JSON.stringify(tokenizer.toJSON())}\n`);
    }
  });
}

/** The tensors of a checkpoint, its parameters as the type asks; what a router counts stays exact. */
function entries(tensors: TensorReader, type: ExportType): TensorEntry[] {
  const { dtype, convert } = EXPORT_TYPES[type];
  return tensors.names().map((name) => {
    const shape = tensors.shape(name)!;
    if (name.startsWith("model.router.buffers.")) {
      return { name, dtype: tensors.dtype(name)!, shape, data: () => tensors.read(name) };
    }
    return {
      name,
      dtype,
      shape,
      data: async () => new Uint8Array(convert(await readValues(tensors, name, shape)).buffer),
    };
  });
}
