import { languageModel, type ModelSize, measureModel } from "@webmoe/model";
import type { AnyRouter } from "@webmoe/router";
import { routerNamed } from "@webmoe/routers";
import { CODE, type Configuration } from "./configuration";

/** What a configuration takes, in numbers. */
export interface Measure extends ModelSize {
  /** Bytes on the GPU: state exactly, activations estimated. */
  bytes: number;
  /** Floating-point operations of a step. */
  flopsPerStep: number;
  /** Bytes of the largest array that kernels bind at once. */
  largestArray: number;
}

/** The model of a configuration around a router. */
export function modelOf({ model, moe, router: { name, ...options } }: Configuration, router: AnyRouter) {
  return languageModel({ ...model, moe: routerNamed(name)?.layers?.(moe, options) ?? moe }, router);
}

/** A router of the table; for one in the editor, whose size only its worker knows, the linear one. */
export function knownRouter({ router: { name, ...options } }: Configuration): AnyRouter {
  return name === CODE ? routerNamed("linear")!.make({}) : routerNamed(name)!.make(options);
}

/** Count a configuration without faults. */
export function measure(configuration: Configuration): Measure {
  const { model, moe, batch, memory } = configuration;
  const size = measureModel(modelOf(configuration, knownRouter(configuration)));
  const tokens = batch.size * model.context;
  // Weights, gradients and two moments. Rows of activations: coefficients fitted to what programs of nano and tiny planned,
  // within a fifth of each.
  const state = 16 * (size.total + size.routerFrozen);
  const layer = 4 * model.dim + moe.topK * (4.7 * model.dim + 5.7 * moe.hidden) + 4 * moe.experts + 180;
  const layers = memory.recompute ? layer + model.layers * model.dim : model.layers * layer;
  const rows = 3 * model.vocab + 10 * model.dim + layers;
  return {
    ...size,
    bytes: state + 4 * tokens * rows,
    flopsPerStep: size.flopsPerToken * tokens * batch.accumulate,
    largestArray: 4 * Math.max(2 * moe.experts * moe.hidden * model.dim, tokens * moe.topK * 2 * moe.hidden),
  };
}
