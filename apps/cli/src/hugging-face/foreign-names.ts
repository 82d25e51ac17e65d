// What the tensors of other models are called, in the names of this project's files, and the sizes that their config.json says.

import type { Config } from "../config/schema";
import { numberIn, sizes } from "./config-json";

/** Model, layers and router of a config.json, and the file's name of each of our tensors. */
export interface ForeignModel {
  config: Pick<Config, "model" | "moe" | "router">;
  nameOf(name: string): string;
}

/** The kinds of models whose tensors can be mapped, by `model_type`. */
const KINDS: Record<string, (json: Record<string, unknown>) => ForeignModel> = {
  llama: dense,
  mistral: dense,
  qwen2: dense,
  mixtral: (json) => ({
    config: sparse(json, numberIn(json, "num_local_experts"), numberIn(json, "intermediate_size")),
    nameOf: (name) =>
      name
        .replace(".mlp.gate.", ".block_sparse_moe.gate.")
        .replace(/\.mlp\.experts\.(\d+)\.(gate|up|down)_proj\./, (_, expert, part) => {
          const theirs = { gate: "w1", up: "w3", down: "w2" }[part as "gate" | "up" | "down"];
          return `.block_sparse_moe.experts.${expert}.${theirs}.`;
        }),
  }),
  qwen2_moe: qwenMoe,
  qwen3_moe: qwenMoe,
};

/** A model of another project; one of an unknown kind, or that computes otherwise, is an error. */
export function foreignModel(json: Record<string, unknown>): ForeignModel {
  const kind = String(json.model_type);
  if (!Object.hasOwn(KINDS, kind)) {
    const needs = `import: needs a model_type of webmoe, ${Object.keys(KINDS).join(", ")} in config.json`;
    // As a run's own config.json has it.
    if (json.config && json.versions)
      throw new Error(`${needs}, and this is the folder of a run: pass it to --init-from`);
    throw new Error(`${needs}, got ${json.model_type === undefined ? "none" : `"${kind}"`}`);
  }
  for (const [key, needed] of Object.entries({ rope_theta: 10000, rms_norm_eps: 1e-5, hidden_act: "silu" })) {
    const value = json[key] ?? needed;
    if (value !== needed)
      throw new Error(`import: needs ${key} ${needed}, got ${JSON.stringify(value)}: the model computes otherwise`);
  }
  if (json.rope_scaling) throw new Error("import: needs plain rotary positions, and config.json has rope_scaling");
  return KINDS[kind]!(json);
}

/** Feed-forward layers without experts: one expert's width stands for the layer's. */
function dense(json: Record<string, unknown>): ForeignModel {
  const model = sizes(json);
  const moe = {
    experts: 1,
    topK: 1,
    hidden: numberIn(json, "intermediate_size"),
    balanceLoss: 0.01,
    zLoss: 0,
    denseLayers: Array.from({ length: model.layers }, (_, index) => index),
  };
  return { config: { model, moe, router: { name: "linear" } }, nameOf: (name) => name };
}

function qwenMoe(json: Record<string, unknown>): ForeignModel {
  const config = sparse(json, numberIn(json, "num_experts"), numberIn(json, "moe_intermediate_size"));
  return {
    config: { ...config, moe: { ...config.moe, renormalize: json.norm_topk_prob === true } },
    nameOf: (name) => name,
  };
}

function sparse(json: Record<string, unknown>, experts: number, hidden: number): ForeignModel["config"] {
  const balanceLoss = typeof json.router_aux_loss_coef === "number" ? json.router_aux_loss_coef : 0.01;
  const topK = numberIn(json, "num_experts_per_tok");
  return { model: sizes(json), moe: { experts, topK, hidden, balanceLoss, zLoss: 0 }, router: { name: "linear" } };
}
