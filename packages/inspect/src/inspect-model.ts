import { moeLayers } from "@webmoe/model";
import type { Gpu } from "@webmoe/webgpu";
import { dependenceOnLaterTokens } from "./probe/causality";
import { type LayerWeights, measureWeights } from "./probe/layer-weights";
import { openObserver } from "./probe/observer";
import type { ProbedBatch, ProbedModel } from "./probe/probed-model";
import { type GradientNorms, openGradientSplitter, type RouterGradients } from "./probe/router-gradients";
import { notesOn } from "./statistics/notes";
import type { Observation } from "./statistics/observation";
import { type LayerStatistics, type RoutingStatistics, routingStatistics } from "./statistics/routing-statistics";
import { mean } from "./statistics/summary";

/** How to inspect. */
export interface InspectOptions {
  /** Held-out batches, all of one number of sequences. */
  batches: ProbedBatch[];
  /** Sequences of a batch. */
  sequences: number;
  /** The text of a token. */
  textOf(token: number): string;
  /** Batches that the router's gradient is a mean over; default 4. */
  gradientBatches?: number;
  /** Permutations of the null of the mutual information; default 100. */
  permutations?: number;
  /** Told before each part of the work, with the share that is done. */
  onProgress?(done: number): void;
}

/** Everything measured of a model's routing. */
export interface Inspection extends Omit<RoutingStatistics, "layers"> {
  /** The name of the router. */
  router: string;
  /** Experts of each MoE layer. */
  experts: number;
  /** Experts that a token may go to in a layer. */
  topK: number;
  /** Tokens of a batch: balance, drop ratio and gradients are of batches. */
  batchTokens: number;
  /** What each MoE layer did, in their order. */
  layers: (LayerStatistics &
    LayerWeights & {
      /** The transformer block it is in, from 0. */
      block: number;
      /** Gradients that reach the layer's own part of the router; absent where it learns nothing. */
      gradient?: GradientNorms;
    })[];
  /** Means over batches; absent for a router that learns nothing. */
  gradient?: Omit<RouterGradients, "layers">;
  /** Share of assignments that depend on later tokens; see `dependenceOnLaterTokens`. */
  laterTokens: number;
  /** What does not apply to this router, and what to keep in mind. */
  notes: string[];
}

/** Measure the routing of a model on held-out batches. Resolves with the figures, and what was seen of the first batch. */
export async function inspectModel(
  gpu: Gpu,
  probed: ProbedModel,
  { batches, sequences, textOf, gradientBatches = 4, permutations, onProgress = () => {} }: InspectOptions,
): Promise<{ inspection: Inspection; first: Observation }> {
  const { model } = probed;
  const { moe, context } = model.config;
  if (batches.length === 0) throw new Error("inspectModel: needs at least one batch, got none");
  if (moeLayers(model.config).length === 0) throw new Error("inspectModel: needs a model with MoE layers, got none");
  const split = batches.slice(0, gradientBatches);
  const work = batches.length + 3 * split.length + 2;
  let done = 0;
  const advance = (by = 1) => {
    done += by;
    onProgress(done / work);
  };
  const observer = await openObserver(gpu, probed, sequences);
  const observations: Observation[] = [];
  for (const batch of batches) {
    observations.push(await observer.observe(batch));
    advance();
  }
  const laterTokens = await dependenceOnLaterTokens(observer, batches[0]!, context);
  observer.close();
  advance();
  const splitter = await openGradientSplitter(gpu, probed, sequences);
  const gradients: RouterGradients[] = [];
  for (const batch of splitter ? split : []) {
    gradients.push(await splitter!.split(batch));
    advance(3);
  }
  splitter?.close();
  const weights = await measureWeights(gpu, probed);
  const { layers, ...statistics } = routingStatistics(observations, { ...moe, textOf, permutations });
  const averaged = gradients.length > 0 ? meanGradients(gradients) : undefined;
  const blocks = moeLayers(model.config);
  const inspection = {
    router: model.router.name,
    experts: moe.experts,
    topK: moe.topK,
    batchTokens: sequences * context,
    ...statistics,
    layers: layers.map((layer, index) => ({
      ...layer,
      ...weights[index]!,
      block: blocks[index]!,
      ...(averaged && { gradient: averaged.layers[index] }),
    })),
    ...(averaged && { gradient: { router: averaged.router, ...(averaged.shared && { shared: averaged.shared }) } }),
    laterTokens,
  };
  onProgress(1);
  return { inspection: { ...inspection, notes: notesOn(inspection) }, first: observations[0]! };
}

function meanGradients(all: RouterGradients[]): RouterGradients {
  const meanOf = (norms: GradientNorms[]): GradientNorms => ({
    whole: mean(norms.map(({ whole }) => whole)),
    languageModel: mean(norms.map(({ languageModel }) => languageModel)),
    balance: mean(norms.map(({ balance }) => balance)),
  });
  return {
    router: meanOf(all.map(({ router }) => router)),
    layers: all[0]!.layers.map((_, index) => meanOf(all.map(({ layers }) => layers[index]!))),
    ...(all[0]!.shared && { shared: meanOf(all.map(({ shared }) => shared!)) }),
  };
}
