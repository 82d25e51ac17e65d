// The transformer that every model here is built on. Per block, for x [T, D]:
//
//   x += dropout(output(attention(rope(qkv(rmsNorm(x))))))
//   x += dropout(experts(rmsNorm(x)))          the router's state goes from one block's experts to the next
//
// then a final rmsNorm. Dropout, which weights of attention and hidden units of experts may have as well, is of training alone. No
// biases but a router's own. T counts the tokens of all sequences.

import {
  type ExpertParameters,
  initExperts,
  initSharedExperts,
  type MoeOutput,
  moeLayer,
  type SharedExpertParameters,
} from "@webmoe/moe";
import { initSwiglu, linear, type SwigluParameters, swigluLayer } from "@webmoe/nn";
import type { AnyRouter } from "@webmoe/router";
import {
  type AttentionOptions,
  addRmsNorm,
  causalAttention,
  constantInit,
  dropoutBy,
  embedding,
  fold,
  type Init,
  type Key,
  type KeyedDropout,
  type MapLeaves,
  normal,
  recomputed,
  reshape,
  rmsNorm,
  type Tensor,
} from "@webmoe/tensor";
import { checkConfig, type ModelConfig, moeLayers } from "./config";

/** The parameters of one block; a block has experts or a dense feed-forward layer. */
export interface BlockParameters<L> {
  /** Scale of the norm before attention. */
  norm1: L; // [D]
  /** The two products of attention. */
  attention: {
    /** Queries, keys and values of all heads. */
    qkv: L /* [3D, D] */;
    /** What the heads bring to the residual stream. */
    output: L /* [D, D] */;
  };
  /** Scale of the norm before the experts or the dense layer. */
  norm2: L; // [D]
  /** The experts, in a block that has them. */
  experts?: ExpertParameters<L>;
  /** Experts that every token goes to, with `moe.sharedExperts`. */
  sharedExperts?: SharedExpertParameters<L>;
  /** The plain feed-forward layer of a block without experts. */
  dense?: SwigluParameters<L>;
}

/** Everything that is learned below a model's head. */
export interface TrunkParameters<L> {
  /** A row for each token of the vocabulary. */
  embedding: L; // [V, D]
  /** The transformer blocks, from the first. */
  blocks: BlockParameters<L>[];
  /** Scale of the norm after the last block. */
  norm: L; // [D]
  /** What the router learns, as its `init` returned it. */
  router: {
    /** What all MoE layers share. */
    shared: unknown;
    /** What each MoE layer has of its own. */
    layers: unknown[];
  };
}

/** What a step hands to the layers besides tokens. */
export interface LayerInput {
  /** What the router keeps besides its parameters. */
  buffers?: MapLeaves<unknown, Tensor>;
  training: boolean;
  /** With `moe.jitter`: a key of random numbers for each MoE layer, u32 [2]. */
  noise?: Tensor<"u32">[];
  /** With `model.dropout`: two keys for each block, u32 [2], for its attention and for its experts or dense layer. */
  dropoutKeys?: Tensor<"u32">[];
  /** With `model.attentionDropout`: a key for each block, u32 [2]. */
  attentionDropoutKeys?: Tensor<"u32">[];
  /** With `moe.dropout`: two keys for each block, u32 [2], for its experts or dense layer and for its shared experts. */
  hiddenDropoutKeys?: Tensor<"u32">[];
  /** Assignments of each expert in the micro-batches of this step so far, [E] for every MoE layer, for the balance loss. */
  loadBefore?: Tensor[];
  /** Keep each block's input alone for the backward pass, and compute what is inside it again. */
  recompute?: boolean;
}

/** Tokens of all sequences, and how they see each other. */
export interface TrunkInput extends LayerInput {
  /** u32 [T] */
  tokens: Tensor<"u32">;
  /** 1 for tokens, 0 for padding; f32 [T]. */
  mask: Tensor;
  /** Maps a block's queries, keys and values [T, 3D] to [T, D]; `options` are those of training. */
  attend(qkv: Tensor, block: number, options: AttentionOptions): Tensor;
}

/** One MoE layer of a batch: what it returned, and what its router saw. */
export interface RoutedLayer extends MoeOutput {
  /** What router and experts received, [T, D]. */
  x: Tensor;
  /** What the router had handed on from the MoE layer before; undefined at the first. */
  carryBefore: unknown;
}

/** Initial values of a trunk, and of what its router keeps besides. */
export function initTrunk(config: ModelConfig, router: AnyRouter, key: Key) {
  checkConfig(config);
  const { dim, vocab, moe } = config;
  const withExperts = moeLayers(config);
  const shape = { dim, experts: moe.experts, layers: withExperts.length, topK: moe.topK, vocab };
  // Where every layer is dense there is nothing to route.
  const routing =
    withExperts.length > 0 ? router.init(shape, fold(key, "router")) : { shared: {}, layers: [], buffers: undefined };
  if (routing.layers?.length !== withExperts.length) {
    throw new Error(
      `router "${router.name}": init needs to return layers for ${withExperts.length} MoE layers, got ${routing.layers?.length ?? "none"}`,
    );
  }
  const parameters: TrunkParameters<Init> = {
    embedding: normal([vocab, dim], 0.02, fold(key, "embedding")),
    blocks: Array.from({ length: config.layers }, (_, index) =>
      initBlock(config, withExperts.includes(index), fold(key, `blocks.${index}`)),
    ),
    norm: constantInit([dim], 1),
    router: { shared: routing.shared, layers: routing.layers },
  };
  return { parameters, buffers: routing.buffers as MapLeaves<unknown, Init> };
}

function initBlock({ dim, moe }: ModelConfig, withExperts: boolean, key: Key): BlockParameters<Init> {
  const shared = moe.sharedExperts ?? 0;
  return {
    norm1: constantInit([dim], 1),
    attention: {
      qkv: normal([3 * dim, dim], 0.02, fold(key, "attention.qkv")),
      output: normal([dim, dim], 0.02, fold(key, "attention.output")),
    },
    norm2: constantInit([dim], 1),
    ...(withExperts
      ? {
          experts: initExperts(dim, moe, fold(key, "experts")),
          ...(shared > 0 && { sharedExperts: initSharedExperts(dim, moe, fold(key, "sharedExperts")) }),
        }
      : { dense: initSwiglu(dim, (moe.topK + shared) * moe.hidden, fold(key, "dense")) }),
  };
}

/** What goes from block to block. */
interface Stream {
  /** The residual stream [T, D], and what the last layer brings to it; that is added where the next norm reads the stream. */
  x: Tensor;
  branch?: Tensor;
  /** The router's state. */
  carry?: unknown;
}

/** All blocks: normalised states x [T, D], and what each MoE layer says besides. */
export function runTrunk(
  config: ModelConfig,
  router: AnyRouter,
  parameters: TrunkParameters<Tensor>,
  input: TrunkInput,
): { x: Tensor; routed: RoutedLayer[] } {
  const withExperts = moeLayers(config);
  const routed: RoutedLayer[] = [];
  let stream: Stream = { x: embedding(parameters.embedding, input.tokens) };
  parameters.blocks.forEach((block, index) => {
    const moeIndex = withExperts.indexOf(index);
    const { shared, layers } = parameters.router;
    const routing = { shared, layer: layers[moeIndex] } as BlockRouting;
    const before = stream;
    const run = () => runBlock({ config, router, block, routing, index, moeIndex, input }, before);
    const { moe, ...after } = input.recompute ? recomputed({ before, block, routing }, run) : run();
    stream = after;
    if (moe) routed.push(moe);
  });
  return { x: normalized(stream, parameters.norm).normalized, routed };
}

interface BlockRouting {
  shared: MapLeaves<unknown, Tensor>;
  layer: MapLeaves<unknown, Tensor>;
}

interface BlockInput {
  config: ModelConfig;
  router: AnyRouter;
  block: BlockParameters<Tensor>;
  routing: BlockRouting;
  /** Number of the block, and among those with experts. */
  index: number;
  moeIndex: number;
  input: TrunkInput;
}

/** Attention, then experts or a dense layer. */
function runBlock(
  { config, router, block, routing, index, moeIndex, input }: BlockInput,
  { carry, ...before }: Stream,
): Stream & { moe?: RoutedLayer } {
  const { attend, tokens, mask, buffers, training, noise, loadBefore } = input;
  /** Dropout of training by the key at a place. */
  const drop = (name: string, rate = 0, keys: Tensor<"u32">[] = [], at: number): KeyedDropout | undefined => {
    if (!training || rate === 0) return undefined;
    const key = keys[at];
    if (!key) throw new Error(`${name}: needs its keys for every block of a training batch, got ${keys.length}`);
    return { key, rate };
  };
  const dropped = (y: Tensor, part: 0 | 1) =>
    dropoutBy(y, drop("model.dropout", config.dropout, input.dropoutKeys, 2 * index + part));
  const ofHidden = (part: 0 | 1) => drop("moe.dropout", config.moe.dropout, input.hiddenDropoutKeys, 2 * index + part);
  const ofWeights = drop("model.attentionDropout", config.attentionDropout, input.attentionDropoutKeys, index);
  const first = normalized(before, block.norm1);
  const heads = attend(linear(first.normalized, block.attention.qkv), index, { dropout: ofWeights });
  const attended = linear(heads, block.attention.output);
  const { x, normalized: u } = normalized({ x: first.x, branch: dropped(attended, 0) }, block.norm2);
  if (block.dense) {
    const units = ofHidden(0);
    const y = swigluLayer(u, block.dense, (hidden) => dropoutBy(hidden, units));
    return { x, branch: dropped(y, 1), carry };
  }
  const moe = moeLayer({
    x: u,
    experts: block.experts!,
    sharedExperts: block.sharedExperts,
    config: config.moe,
    router,
    routerParameters: { ...routing, buffers },
    index: moeIndex,
    carry,
    tokens,
    mask,
    training,
    noise: noise?.[moeIndex],
    loadBefore: loadBefore?.[moeIndex],
    dropout: { routed: ofHidden(0), shared: block.sharedExperts && ofHidden(1) },
  });
  return { x, branch: dropped(moe.y, 1), carry: moe.carry, moe: { ...moe, x: u, carryBefore: carry } };
}

/** The residual stream with the branch added, and its norm. */
function normalized({ x, branch }: Stream, weight: Tensor): { x: Tensor; normalized: Tensor } {
  if (!branch) return { x, normalized: rmsNorm(x, weight) };
  const both = addRmsNorm(x, branch, weight);
  return { x: both.sum, normalized: both.normalized };
}

/** Rotary causal attention within each of some sequences of one length, for `TrunkInput.attend`. */
export function attendWithin({ dim, heads }: ModelConfig, sequences: number, length: number) {
  return (qkv: Tensor, _block: number, options: AttentionOptions): Tensor => {
    const split = reshape(qkv, [sequences, length, 3, heads, dim / heads]);
    return reshape(causalAttention(split, { ...options, rotary: {} }), [sequences * length, dim]);
  };
}
