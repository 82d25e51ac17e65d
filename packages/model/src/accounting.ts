import { scoreFlops } from "@webmoe/router";
import { type Init, key, leaves, sizeOf } from "@webmoe/tensor";
import { moeLayers } from "./config";
import type { Model } from "./model";

/** A part of a model by its parameters. */
export interface ParameterPart {
  /** What the part is, as `experts`. */
  name: string;
  /** Numbers that it has. */
  total: number;
  /** Of these, how many take part in one token's computation. */
  active: number;
}

/** The size of a model in numbers. */
export interface ModelSize {
  /** Learned parameters. */
  total: number;
  /** Parameters that take part in one token's computation: idle experts left out. */
  active: number;
  /** The parameters by part: embedding, norms, attention, experts and so on. */
  parts: ParameterPart[];
  /** Learned parameters of the router. */
  router: number;
  /** Numbers that the router keeps but does not learn: frozen weights, biases it moves itself. */
  routerFrozen: number;
  /** Forward floating-point operations of the router's scores per token. */
  routerFlopsPerToken: number;
  /** Floating-point operations of a training step per token: forward and backward, causal attention included. */
  flopsPerToken: number;
}

/** Count a model's parameters and arithmetic. */
export function measureModel(model: Model): ModelSize {
  const { config } = model;
  const { parameters, buffers } = model.init(key(0));
  const count = (tree: unknown) => leaves<Init>(tree).reduce((sum, [, { shape }]) => sum + sizeOf(shape), 0);
  const total = count(parameters);
  const experts = count(parameters.blocks.map((block) => block.experts));
  const active = total - experts * (1 - config.moe.topK / config.moe.experts);
  const router = count(parameters.router);
  const { dim, vocab, moe } = config;
  const layers = moeLayerCount(model);
  const routing = scoreFlops(model.router, { dim, vocab, layers, experts: moe.experts, topK: moe.topK });
  // The embedding is a lookup; every other active weight is a multiply and an add, three times (forward, dX, dW).
  // Attention: two products with on average (context + 1) / 2 keys per query.
  const weights = active - router - count(parameters.embedding);
  const attention = config.layers * 2 * (config.context + 1) * config.dim;
  return {
    total,
    active: Math.round(active),
    parts: parameterParts(model, parameters),
    router,
    routerFrozen: count(buffers),
    routerFlopsPerToken: routing,
    flopsPerToken: 6 * weights + 3 * routing + 3 * attention,
  };
}

/** What leaves of the parameters are called, by the names they have in the tree. */
const PARTS: Record<string, string> = {
  norm: "norms",
  norm1: "norms",
  norm2: "norms",
  sharedExperts: "shared experts",
  score: "head",
};

function parameterParts({ config: { moe } }: Model, parameters: unknown): ParameterPart[] {
  const totals = new Map<string, number>();
  for (const [path, { shape }] of leaves<Init>(parameters)) {
    const [first, , inBlock] = path.split(".");
    const name = first === "blocks" ? inBlock! : first!;
    const part = PARTS[name] ?? name;
    totals.set(part, (totals.get(part) ?? 0) + sizeOf(shape));
  }
  return [...totals].map(([name, total]) => ({
    name,
    total,
    active: name === "experts" ? Math.round((total * moe.topK) / moe.experts) : total,
  }));
}

/** Number of MoE layers. */
export function moeLayerCount(model: Model): number {
  return moeLayers(model.config).length;
}
