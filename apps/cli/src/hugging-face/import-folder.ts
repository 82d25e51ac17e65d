import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileTensors } from "@webmoe/model";
import { type Init, key, leaves } from "@webmoe/tensor";
import { readValues, type TensorEntry, type TensorReader } from "@webmoe/trainer";
import { readTensors } from "@webmoe/trainer/node";
import { presetConfig } from "../config/presets";
import { checkedConfig } from "../config/resolve";
import type { Config } from "../config/schema";
import { makeModel } from "../run-model";
import { configOf } from "./config-json";
import { type ForeignModel, foreignModel } from "./foreign-names";

/** A model of a folder: a configuration, and its tensors under this project's names. */
export interface ImportedModel {
  config: Config;
  tensors: TensorEntry[];
}

/** Tables that other programs save and that are computed here. */
const COMPUTED = /rotary_emb\.inv_freq$/;

/**
 * Read a folder of config.json and safetensors files: an exported model, or one of Llama's, Mixtral's or Qwen-MoE's kind whose
 * shapes fit. A tensor that is missing, left over or of another shape is an error that names it.
 */
export async function importFolder(path: string): Promise<ImportedModel> {
  const json = await readJson(join(path, "config.json"));
  const { config: found, nameOf }: ForeignModel =
    json.model_type === "webmoe" ? { config: configOf(json), nameOf: (name) => name } : foreignModel(json);
  const config = checkedConfig({ ...presetConfig("nano"), ...found });
  const reader = await readFolder(path);
  const model = await makeModel(config);
  const { parameters, buffers } = model.init(key(0));
  const [kept] = leaves<Init>(buffers);
  if (kept)
    throw new Error(`import: needs a router without state of its own, and ${model.router.name} has "${kept[0]}"`);
  const used = new Set<string>();
  const tensors = fileTensors<Init>(model.config, parameters).map(({ name, shape }) => {
    const source = sourceOf(nameOf(name), json, reader);
    used.add(source);
    const inFile = shape.length > 0 ? shape : [1];
    check(source, inFile, reader);
    return { name, dtype: "F32" as const, shape, data: () => floatBytes(reader, source, inFile) };
  });
  const surplus = reader.names().find((name) => !used.has(name) && !COMPUTED.test(name));
  if (surplus) {
    throw new Error(
      `import: the model has no place for "${surplus}" [${reader.shape(surplus)!.join(", ")}]: biases, extra norms and other layers are not supported`,
    );
  }
  return { config, tensors };
}

/** A head that is tied to the embedding is a copy of it. */
function sourceOf(name: string, json: Record<string, unknown>, reader: TensorReader): string {
  const tied = name === "lm_head.weight" && json.tie_word_embeddings === true && !reader.shape(name);
  return tied ? "model.embed_tokens.weight" : name;
}

function check(name: string, shape: readonly number[], reader: TensorReader): void {
  const found = reader.shape(name);
  if (!found) throw new Error(`import: needs a tensor "${name}" [${shape.join(", ")}], and the files have none`);
  if (found.join() !== shape.join()) {
    throw new Error(`import: "${name}" needs shape [${shape.join(", ")}], got [${found.join(", ")}]`);
  }
}

async function floatBytes(reader: TensorReader, name: string, shape: readonly number[]): Promise<Uint8Array> {
  return new Uint8Array((await readValues(reader, name, shape)).buffer);
}

/** All safetensors files of a folder as one. */
async function readFolder(path: string): Promise<TensorReader> {
  const files = (await readdir(path)).filter((name) => name.endsWith(".safetensors")).sort();
  if (files.length === 0) throw new Error(`import: needs .safetensors files, and "${path}" has none`);
  const readers = await Promise.all(files.map((file) => readTensors(join(path, file))));
  const of = new Map(readers.flatMap((reader) => reader.names().map((name) => [name, reader] as const)));
  return {
    names: () => [...of.keys()],
    shape: (name) => of.get(name)?.shape(name),
    dtype: (name) => of.get(name)?.dtype(name),
    async read(name) {
      const reader = of.get(name);
      if (!reader) throw new Error(`import: the files have no tensor "${name}"`);
      return reader.read(name);
    },
  };
}

async function readJson(path: string): Promise<Record<string, unknown>> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    const reason = error.code === "ENOENT" ? `there is no "${path}"` : error.message;
    throw new Error(`import: needs a folder with config.json: ${reason}`);
  });
  const json = parsed(text);
  if (typeof json === "object" && json !== null && !Array.isArray(json)) return json as Record<string, unknown>;
  throw new Error(`import: needs a JSON object in "${path}"`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
