import { copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Tokenizer } from "@webmoe/data";
import { fileTensors, type Model } from "@webmoe/model";
import { type Init, key } from "@webmoe/tensor";
import { readValues, type TensorEntry, type TensorReader } from "@webmoe/trainer";
import { writeTensors } from "@webmoe/trainer/node";
import type { Config } from "../config/schema";
import { EXPORT_TYPES, type ExportType } from "../export-types";
import { MODELING_FILE } from "../modeling-file";
import { writeNewFolder } from "../new-folder";
import { configJson } from "./config-json";

/** What to write. */
export interface ExportOptions {
  config: Config;
  model: Model;
  parameters: TensorReader;
  tokenizer: Tokenizer;
  type: ExportType;
}

/** Write a folder that transformers opens: config.json, model.safetensors, the tokenizer, and the model in Python. */
export async function exportFolder(path: string, options: ExportOptions): Promise<void> {
  const { config, tokenizer, type } = options;
  const json = { ...configJson(config), torch_dtype: EXPORT_TYPES[type].torch };
  await writeNewFolder(path, async (folder) => {
    await writeJson(join(folder, "config.json"), json);
    await writeTensors(join(folder, "model.safetensors"), entries(options));
    await writeJson(join(folder, "tokenizer.json"), tokenizer.toJSON());
    await writeJson(join(folder, "tokenizer_config.json"), {
      tokenizer_class: "PreTrainedTokenizerFast",
      model_max_length: config.model.context,
      clean_up_tokenization_spaces: false,
    });
    await copyFile(MODELING_FILE, join(folder, "modeling_webmoe.py"));
  });
}

function entries({ model, parameters, type }: ExportOptions): TensorEntry[] {
  const { dtype, convert } = EXPORT_TYPES[type];
  return fileTensors<Init>(model.config, model.init(key(0)).parameters).map(({ name, shape }) => ({
    name,
    dtype,
    shape: shape.length > 0 ? shape : [1], // FSDP shards no scalars
    data: async () => new Uint8Array(convert(await readValues(parameters, name, shape)).buffer),
  }));
}

const writeJson = (path: string, value: unknown) => writeFile(path, `${JSON.stringify(value, null, 2)}\n`);
