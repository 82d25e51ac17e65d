// config.json of an exported model, as apps/cli/assets/modeling_webmoe.py reads it.

import { moeLayers } from "@webmoe/model";
import type { Config } from "../config/schema";
import { UsageError } from "../errors";

const GATES = { swiglu: "silu", geglu: "gelu", reglu: "relu" } as const;

/** Routers that the Python file knows, with their options as they are where nothing is said. */
const ROUTERS: Record<string, Record<string, unknown>> = {
  recurrent: {
    dim: 128,
    projection: "layer",
    state: true,
    detachState: false,
    residual: 0,
    detachResidual: false,
    bias: false,
  },
  linear: { bias: false },
  xmoe: { dim: 16, temperature: 0.3, learnTemperature: true },
  cosine: { temperature: 0.3, learnTemperature: true },
};

/** config.json of a model. What the Python file cannot do is an error that names it. */
export function configJson({ model, moe, router, task }: Config): Record<string, unknown> {
  if (task !== "language") throw new UsageError("export: needs a language model, and this run classifies texts");
  if (moe.even) throw new UsageError("export: needs a router that chooses, and moe.even takes experts in turn");
  const dense = Array.from({ length: model.layers }, (_, index) => index).filter(
    (index) => !moeLayers({ ...model, moe }).includes(index),
  );
  const { activation = "swiglu", sharedExperts = 0 } = moe;
  const gate = activation in GATES ? GATES[activation as keyof typeof GATES] : undefined;
  return {
    architectures: ["WebmoeForCausalLM"],
    model_type: "webmoe",
    auto_map: {
      AutoConfig: "modeling_webmoe.WebmoeConfig",
      AutoModelForCausalLM: "modeling_webmoe.WebmoeForCausalLM",
    },
    vocab_size: model.vocab,
    hidden_size: model.dim,
    num_hidden_layers: model.layers,
    num_attention_heads: model.heads,
    max_position_embeddings: model.context,
    num_experts: moe.experts,
    num_experts_per_tok: moe.topK,
    moe_intermediate_size: moe.hidden,
    intermediate_size: (moe.topK + sharedExperts) * moe.hidden,
    shared_intermediate_size: sharedExperts * moe.hidden,
    dense_layers: dense,
    hidden_act: gate ?? activation,
    gated_experts: gate !== undefined,
    norm_topk_prob: moe.renormalize ?? moe.topK > 1,
    router: routerJson(router),
    router_aux_loss_coef: moe.balanceLoss,
    router_z_loss_coef: moe.zLoss,
    rope_theta: 10000,
    rms_norm_eps: 1e-5,
    initializer_range: 0.02,
    tie_word_embeddings: false,
    use_cache: false,
  };
}

function routerJson({ name, init: _, cell = "gru", ...options }: Config["router"]): Record<string, unknown> {
  if (!Object.hasOwn(ROUTERS, name)) {
    throw new UsageError(`export: needs one of the routers ${Object.keys(ROUTERS).join(", ")} for hf, got "${name}"`);
  }
  if (cell !== "gru") throw new UsageError(`export: needs router.cell gru for hf, got "${cell}"`);
  return { name, ...ROUTERS[name], ...options };
}

/** Model, layers and router that a config.json of an exported model describes. */
export function configOf(json: Record<string, unknown>): Pick<Config, "model" | "moe" | "router"> {
  const number = (name: string) => numberIn(json, name);
  const gated = json.gated_experts !== false;
  const act = String(json.hidden_act);
  const activation = gated ? Object.entries(GATES).find(([, gate]) => gate === act)?.[0] : act;
  const hidden = number("moe_intermediate_size");
  const shared = number("shared_intermediate_size") / hidden;
  const dense = json.dense_layers as number[];
  return {
    model: sizes(json),
    moe: {
      experts: number("num_experts"),
      topK: number("num_experts_per_tok"),
      hidden,
      balanceLoss: number("router_aux_loss_coef"),
      zLoss: number("router_z_loss_coef"),
      renormalize: json.norm_topk_prob === true,
      activation: activation as Config["moe"]["activation"],
      ...(shared > 0 && { sharedExperts: shared }),
      ...(dense.length > 0 && { denseLayers: dense }),
    },
    router: json.router as Config["router"],
  };
}

/** The sizes that every config.json of a transformer has. */
export function sizes(json: Record<string, unknown>): Config["model"] {
  return {
    vocab: numberIn(json, "vocab_size"),
    dim: numberIn(json, "hidden_size"),
    layers: numberIn(json, "num_hidden_layers"),
    heads: numberIn(json, "num_attention_heads"),
    context: numberIn(json, "max_position_embeddings"),
  };
}

/** A number of a config.json; another value is an error that names it. */
export function numberIn(json: Record<string, unknown>, name: string): number {
  const value = json[name];
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw new Error(`config.json: needs a number as ${name}, got ${JSON.stringify(value)}`);
}
