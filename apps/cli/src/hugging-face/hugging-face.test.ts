import { mkdir, mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { byteTokenizer } from "@webmoe/data";
import { fileTensors } from "@webmoe/model";
import { type Init, key, sizeOf } from "@webmoe/tensor";
import { parseSafetensors, type SafetensorsDtype, toBfloat16 } from "@webmoe/tensor/files";
import { readTensors, writeTensors } from "@webmoe/trainer/node";
import { describe, expect, test } from "vitest";
import { resolveConfig } from "../config/resolve";
import { makeModel } from "../run-model";
import { exportFolder } from "./export-folder";
import { importFolder } from "./import-folder";

const folder = await mkdtemp(join(tmpdir(), "webmoe-hugging-face-"));
const small = ["model.dim=8", "model.context=16", "moe.hidden=6"];

/** Numbers for a tensor, another series for each name. */
function numbers(name: string, shape: readonly number[]): Float32Array {
  const seed = [...name].reduce((sum, character) => sum * 31 + character.charCodeAt(0), 7) % 1000;
  return Float32Array.from({ length: sizeOf(shape) }, (_, index) => Math.fround(Math.sin(seed + index)));
}

async function writeFolder(path: string, json: object, tensors: Record<string, number[]>): Promise<string> {
  const at = join(folder, path);
  await mkdir(at, { recursive: true });
  await writeFile(join(at, "config.json"), JSON.stringify(json));
  const entries = Object.entries(tensors).map(([name, shape]) => ({
    name,
    dtype: "F32" as SafetensorsDtype,
    shape,
    data: async () => new Uint8Array(numbers(name, shape).buffer),
  }));
  await writeTensors(join(at, "model.safetensors"), entries);
  return at;
}

describe("an exported folder", () => {
  test.each([
    ["recurrent", ["moe.sharedExperts=1", "moe.denseLayers=[0]", "moe.activation=geglu"]],
    ["xmoe", ["router.name=xmoe", "moe.activation=relu"]],
  ])("with the %s router comes back with its configuration and every number", async (name, set) => {
    const config = resolveConfig({ set: [...small, ...set] });
    const model = await makeModel(config);
    const files = fileTensors<Init>(model.config, model.init(key(1)).parameters);
    const source = await writeFolder(
      `${name}-source`,
      {},
      Object.fromEntries(files.map((f) => [f.name, [...f.shape]])),
    );
    const parameters = await readTensors(join(source, "model.safetensors"));
    const tokenizer = byteTokenizer();
    const out = join(folder, name);
    await exportFolder(out, { config, model, parameters, tokenizer, type: "f32" });
    expect((await readdir(out)).sort()).toEqual([
      "config.json",
      "model.safetensors",
      "modeling_webmoe.py",
      "tokenizer.json",
      "tokenizer_config.json",
    ]);
    const back = await importFolder(out);
    expect(back.config.model).toEqual(config.model);
    expect(back.config.moe).toMatchObject(config.moe);
    expect(back.config.router).toMatchObject(config.router);
    for (const { name, shape, data } of back.tensors) {
      expect(new Float32Array((await data()).buffer), name).toEqual(numbers(name, shape));
    }
    await exportFolder(`${out}-bf16`, { config, model, parameters, tokenizer, type: "bf16" });
    const halves = parseSafetensors(await readFile(join(`${out}-bf16`, "model.safetensors")));
    expect(halves.get("lm_head.weight")!.values).toEqual(toBfloat16(numbers("lm_head.weight", [256, 8])));
  });

  test("is refused where the Python file has no such router, and never written over", async () => {
    const config = resolveConfig({ set: [...small, "router.name=flow"] });
    const given = { config, model: await makeModel(config), tokenizer: byteTokenizer(), type: "f32" as const };
    const parameters = await readTensors(join(folder, "recurrent", "model.safetensors"));
    await expect(exportFolder(join(folder, "flow"), { ...given, parameters })).rejects.toThrow(/for hf, got "flow"/);
    const known = { ...given, config: resolveConfig({ set: small }), parameters };
    await expect(exportFolder(folder, known)).rejects.toThrow(/missing or empty/);
  });
});

describe("a foreign checkpoint", () => {
  const sizes = {
    vocab_size: 256,
    hidden_size: 8,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    max_position_embeddings: 16,
    rope_theta: 10000,
    rms_norm_eps: 1e-5,
  };
  const trunk = {
    "model.embed_tokens.weight": [256, 8],
    "model.norm.weight": [8],
    "lm_head.weight": [256, 8],
    "model.layers.0.input_layernorm.weight": [8],
    "model.layers.0.post_attention_layernorm.weight": [8],
    ...Object.fromEntries(["q", "k", "v", "o"].map((p) => [`model.layers.0.self_attn.${p}_proj.weight`, [8, 8]])),
  };
  const mixtral = {
    ...sizes,
    model_type: "mixtral",
    num_local_experts: 3,
    num_experts_per_tok: 2,
    intermediate_size: 6,
  };
  const expert = (index: number) => `model.layers.0.block_sparse_moe.experts.${index}`;
  const experts = {
    "model.layers.0.block_sparse_moe.gate.weight": [3, 8],
    ...Object.fromEntries(
      [0, 1, 2].flatMap((index) => [
        [`${expert(index)}.w1.weight`, [6, 8]],
        [`${expert(index)}.w2.weight`, [8, 6]],
        [`${expert(index)}.w3.weight`, [6, 8]],
      ]),
    ),
  };

  test("of Mixtral's kind has w1, w3 and w2 as gate, up and down", async () => {
    const { config, tensors } = await importFolder(await writeFolder("mixtral", mixtral, { ...trunk, ...experts }));
    expect(config.moe).toMatchObject({ experts: 3, topK: 2, hidden: 6 });
    const of = async (name: string) => new Float32Array((await tensors.find((t) => t.name === name)!.data()).buffer);
    const up = await of("model.layers.0.mlp.experts.1.up_proj.weight");
    expect(up).toEqual(numbers(`${expert(1)}.w3.weight`, [6, 8]));
  });

  test("without experts is a model of dense layers; a tied head is the embedding", async () => {
    const { "lm_head.weight": _, ...tied } = trunk;
    const ffn = { gate: [12, 8], up: [12, 8], down: [8, 12] };
    const layer = Object.fromEntries(
      Object.entries(ffn).map(([p, shape]) => [`model.layers.0.mlp.${p}_proj.weight`, shape]),
    );
    const json = { ...sizes, model_type: "llama", intermediate_size: 12, tie_word_embeddings: true };
    const { config, tensors } = await importFolder(await writeFolder("llama", json, { ...tied, ...layer }));
    expect(config.moe.denseLayers).toEqual([0]);
    const head = tensors.find(({ name }) => name === "lm_head.weight")!;
    expect(new Float32Array((await head.data()).buffer)).toEqual(numbers("model.embed_tokens.weight", [256, 8]));
  });

  test("that is no model is refused in a line: a missing folder, a run, another kind, no JSON", async () => {
    const nowhere = join(folder, "nowhere");
    await expect(importFolder(nowhere)).rejects.toThrow(
      `import: needs a folder with config.json: there is no "${join(nowhere, "config.json")}"`,
    );
    const run = writeFolder("run", { config: { preset: "nano" }, versions: {} }, {});
    await expect(importFolder(await run)).rejects.toThrow("this is the folder of a run: pass it to --init-from");
    await expect(importFolder(await writeFolder("bert", { model_type: "bert" }, {}))).rejects.toThrow(
      /^import: needs a model_type of webmoe, llama, .*, got "bert"$/,
    );
    await expect(importFolder(await writeFolder("bare", {}, {}))).rejects.toThrow(/config\.json, got none$/);
    await writeFile(join(folder, "bare/config.json"), "{");
    await expect(importFolder(join(folder, "bare"))).rejects.toThrow(
      /^import: needs a JSON object in ".*config\.json"$/,
    );
  });

  test("that does not fit is refused by tensor and shape", async () => {
    const grouped = { ...trunk, ...experts, "model.layers.0.self_attn.k_proj.weight": [4, 8] };
    await expect(importFolder(await writeFolder("grouped", mixtral, grouped))).rejects.toThrow(
      'import: "model.layers.0.self_attn.k_proj.weight" needs shape [8, 8], got [4, 8]',
    );
    const biased = { ...trunk, ...experts, "model.layers.0.self_attn.q_proj.bias": [8] };
    await expect(importFolder(await writeFolder("biased", mixtral, biased))).rejects.toThrow(
      /no place for "model\.layers\.0\.self_attn\.q_proj\.bias" \[8\]/,
    );
    const { [`${expert(2)}.w1.weight`]: _, ...missing } = { ...trunk, ...experts } as Record<string, number[]>;
    await expect(importFolder(await writeFolder("missing", mixtral, missing))).rejects.toThrow(
      `needs a tensor "${expert(2)}.w1.weight" [6, 8], and the files have none`,
    );
    const far = { ...mixtral, rope_theta: 1e6 };
    await expect(importFolder(await writeFolder("far", far, { ...trunk, ...experts }))).rejects.toThrow(
      /rope_theta 10000/,
    );
  });
});
