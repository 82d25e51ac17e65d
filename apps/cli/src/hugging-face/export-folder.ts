import { copyFile, mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Tokenizer } from "@webmoe/data";
import { fileTensors, type Model } from "@webmoe/model";
import { type Init, key, toBfloat16, toFloat16 } from "@webmoe/tensor";
import { readValues, type TensorEntry, type TensorReader } from "@webmoe/trainer";
import { writeTensors } from "@webmoe/trainer/node";
import type { Config } from "../config/schema";
import { UsageError } from "../errors";
import { MODELING_FILE } from "../modeling-file";
import { configJson } from "./config-json";

/** Types of exported numbers, with their names in safetensors files and in PyTorch. */
export const EXPORT_TYPES = { f32: ["F32", "float32"], f16: ["F16", "float16"], bf16: ["BF16", "bfloat16"] } as const;

/** What to write. */
export interface ExportOptions {
  config: Config;
  model: Model;
  parameters: TensorReader;
  tokenizer: Tokenizer;
  type: keyof typeof EXPORT_TYPES;
}

/** Write a folder that transformers opens: config.json, model.safetensors, the tokenizer, and the model in Python. */
export async function exportFolder(path: string, options: ExportOptions): Promise<void> {
  const { config, tokenizer, type } = options;
  if ((await readdir(path).catch(() => [])).length > 0) {
    throw new UsageError(`export: needs a folder that is missing or empty as --out, and "${path}" has files`);
  }
  const json = { ...configJson(config), torch_dtype: EXPORT_TYPES[type][1] };
  const temporary = `${path}.writing`;
  await rm(temporary, { recursive: true, force: true });
  await mkdir(temporary, { recursive: true });
  await writeJson(join(temporary, "config.json"), json);
  await writeTensors(join(temporary, "model.safetensors"), entries(options));
  await writeJson(join(temporary, "tokenizer.json"), tokenizer.toJSON());
  await writeJson(join(temporary, "tokenizer_config.json"), {
    tokenizer_class: "PreTrainedTokenizerFast",
    model_max_length: config.model.context,
    clean_up_tokenization_spaces: false,
  });
  await copyFile(MODELING_FILE, join(temporary, "modeling_webmoe.py"));
  await rm(path, { recursive: true, force: true });
  await rename(temporary, path);
}

function entries({ model, parameters, type }: ExportOptions): TensorEntry[] {
  const convert = { f32: (values: Float32Array) => values, f16: toFloat16, bf16: toBfloat16 }[type];
  return fileTensors<Init>(model.config, model.init(key(0)).parameters).map(({ name, shape }) => ({
    name,
    dtype: EXPORT_TYPES[type][0],
    shape: shape.length > 0 ? shape : [1], // FSDP shards no scalars
    data: async () => new Uint8Array(convert(await readValues(parameters, name, shape)).buffer),
  }));
}

const writeJson = (path: string, value: unknown) => writeFile(path, `${JSON.stringify(value, null, 2)}\n`);
