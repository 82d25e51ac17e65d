// A decoder-only transformer language model with sparse experts. Per block, for x [T, D]:
//
//   x += output(attention(rope(qkv(rmsNorm(x)))))
//   x += experts(rmsNorm(x))          the router's state goes from one block's experts to the next
//
// then a final rmsNorm and an untied head. No biases but a router's own. T counts the tokens of all sequences.

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
  add,
  addRmsNorm,
  cachedAttention,
  causalAttention,
  constant,
  constantInit,
  Expression,
  embedding,
  fold,
  IGNORE,
  type Init,
  type Key,
  linearCrossEntropy,
  type MapLeaves,
  map,
  mul,
  normal,
  reshape,
  rmsNorm,
  rope,
  ropeAt,
  scale,
  sum,
  type Tensor,
} from "@webmoe/tensor";
import { checkConfig, type ModelConfig, moeLayers } from "./config";

/** The parameters of one block; a block has experts or a dense feed-forward layer. */
export interface BlockParameters<L> {
  norm1: L; // [D]
  attention: { qkv: L /* [3D, D] */; output: L /* [D, D] */ };
  norm2: L; // [D]
  experts?: ExpertParameters<L>;
  sharedExperts?: SharedExpertParameters<L>;
  dense?: SwigluParameters<L>;
}

/** Everything that is learned. */
export interface LanguageModelParameters<L> {
  embedding: L; // [V, D]
  blocks: BlockParameters<L>[];
  norm: L; // [D]
  head: L; // [V, D]
  router: { shared: unknown; layers: unknown[] };
}

/** A language model: what it starts from, its loss, and its next-token scores. */
export interface LanguageModel {
  readonly config: ModelConfig;
  readonly router: AnyRouter;
  /** Trees of initial values: what is learned, and what the router keeps besides. */
  init(key: Key): { parameters: LanguageModelParameters<Init>; buffers: MapLeaves<unknown, Init> };
  loss(parameters: LanguageModelParameters<Tensor>, batch: Batch): LossOutput;
  /** Scores of the token after the given one, [1, V], with keys and values of the tokens before in `caches`. */
  next(parameters: LanguageModelParameters<Tensor>, input: NextInput): Tensor;
}

/** Sequences to learn from. */
export interface Batch {
  /** u32 [B, T] */
  tokens: Tensor<"u32">;
  /** The token after each one, u32 [B, T]; `IGNORE` where it takes no part in the loss. */
  targets: Tensor<"u32">;
  /** 1 for tokens, 0 for padding, which no expert computes; f32 [B, T]. Default: no padding. */
  mask?: Tensor;
  /** What the router keeps besides its parameters. */
  buffers?: MapLeaves<unknown, Tensor>;
  training: boolean;
  /** With `moe.jitter`: a key of random numbers for each MoE layer, u32 [2]. */
  noise?: Tensor<"u32">[];
  /** Assignments of each expert in the micro-batches of this step so far, [E] for every MoE layer, for the balance loss. */
  loadBefore?: Tensor[];
}

/** One token of a sequence that is being generated. */
export interface NextInput {
  /** u32 [1] */
  token: Tensor<"u32">;
  /** Its position in the sequence, u32 [1]. */
  position: Tensor<"u32">;
  /** Keys and values of each block, [context, 2, heads, headDim]; updated in place. */
  caches: Tensor[];
  buffers?: MapLeaves<unknown, Tensor>;
}

/** The loss of a batch and what it is made of. */
export interface LossOutput {
  /** What training minimises: cross entropy and the weighted router losses. */
  total: Tensor;
  /** Mean cross entropy in nats a token. */
  loss: Tensor;
  /** Means over MoE layers, unweighted. */
  balanceLoss: Tensor;
  zLoss: Tensor;
  /** Of every MoE layer: assignments of each expert [E], with `moe.capacity` how many of them were dropped. */
  load: Tensor[];
  dropped?: Tensor[];
  /** Of every MoE layer: the sum of each expert's probability over tokens [E], and the router's scores [B T, E]. */
  probabilities: Tensor[];
  logits: Tensor[];
}

/** Make a language model of given sizes around a router. */
export function languageModel(config: ModelConfig, router: AnyRouter): LanguageModel {
  checkConfig(config);
  const { dim, heads, vocab, moe } = config;
  const headDim = dim / heads;
  const shared = moe.sharedExperts ?? 0;
  const withExperts = moeLayers(config);

  function init(key: Key) {
    const routing = router.init(
      { dim, experts: moe.experts, layers: withExperts.length, topK: moe.topK, vocab },
      fold(key, "router"),
    );
    const parameters: LanguageModelParameters<Init> = {
      embedding: normal([vocab, dim], 0.02, fold(key, "embedding")),
      blocks: Array.from({ length: config.layers }, (_, index) => initBlock(index, fold(key, `blocks.${index}`))),
      norm: constantInit([dim], 1),
      head: normal([vocab, dim], 0.02, fold(key, "head")),
      router: { shared: routing.shared, layers: routing.layers },
    };
    return { parameters, buffers: routing.buffers as MapLeaves<unknown, Init> };
  }

  function initBlock(index: number, key: Key): BlockParameters<Init> {
    return {
      norm1: constantInit([dim], 1),
      attention: {
        qkv: normal([3 * dim, dim], 0.02, fold(key, "attention.qkv")),
        output: normal([dim, dim], 0.02, fold(key, "attention.output")),
      },
      norm2: constantInit([dim], 1),
      ...(withExperts.includes(index)
        ? {
            experts: initExperts(dim, moe, fold(key, "experts")),
            ...(shared > 0 && { sharedExperts: initSharedExperts(dim, moe, fold(key, "sharedExperts")) }),
          }
        : { dense: initSwiglu(dim, (moe.topK + shared) * moe.hidden, fold(key, "dense")) }),
    };
  }

  /** All blocks over x [T, D]; `attend` maps a block's qkv [T, 3D] to [T, D]. */
  function trunk(
    parameters: LanguageModelParameters<Tensor>,
    tokens: Tensor<"u32">,
    mask: Tensor,
    given: Pick<Batch, "buffers" | "training" | "noise" | "loadBefore">,
    attend: (qkv: Tensor, block: number) => Tensor,
  ) {
    let x = embedding(parameters.embedding, tokens); // [T, D]
    /** What the last layer brings to the residual stream; it is added where the next norm reads the stream. */
    let branch: Tensor | undefined;
    const normalized = (weight: Tensor) => {
      if (!branch) return rmsNorm(x, weight);
      const both = addRmsNorm(x, branch, weight);
      x = both.sum;
      return both.normalized;
    };
    let carry: unknown;
    const routed: MoeOutput[] = [];
    parameters.blocks.forEach((block, index) => {
      const { qkv, output } = block.attention;
      branch = linear(attend(linear(normalized(block.norm1), qkv), index), output);
      const u = normalized(block.norm2);
      if (block.dense) {
        branch = swigluLayer(u, block.dense);
        return;
      }
      const layer = parameters.router.layers[routed.length] as MapLeaves<unknown, Tensor>;
      const result = moeLayer({
        x: u,
        experts: block.experts!,
        sharedExperts: block.sharedExperts,
        config: moe,
        router,
        routerParameters: {
          shared: parameters.router.shared as MapLeaves<unknown, Tensor>,
          layer,
          buffers: given.buffers,
        },
        index: routed.length,
        carry,
        tokens,
        mask,
        training: given.training,
        noise: given.noise?.[routed.length],
        loadBefore: given.loadBefore?.[routed.length],
      });
      carry = result.carry;
      routed.push(result);
      branch = result.y;
    });
    return { x: normalized(parameters.norm), routed };
  }

  function loss(parameters: LanguageModelParameters<Tensor>, batch: Batch): LossOutput {
    const [sequences, length] = batch.tokens.shape as [number, number];
    const flat = {
      tokens: reshape(batch.tokens, [batch.tokens.size]),
      targets: reshape(batch.targets, [batch.targets.size]),
    };
    const mask = batch.mask
      ? reshape(batch.mask, [batch.mask.size])
      : constant(batch.tokens.trace, [batch.tokens.size], 1);
    const attend = (qkv: Tensor) => {
      const rotated = rope(reshape(qkv, [sequences, length, 3, heads, headDim]));
      return reshape(causalAttention(rotated), [sequences * length, dim]);
    };
    const { x, routed } = trunk(parameters, flat.tokens, mask, batch, attend);

    // IGNORE, the largest u32, is past 2^31 as a float too.
    const counted = map("counted", [flat.targets], (target) => target.less(2 ** 31));
    const crossEntropy = mul(
      linearCrossEntropy(x, parameters.head, flat.targets),
      map("perToken", [sum(counted)], (tokens) => Expression.constant(1).div(tokens.max(1))),
    );
    const meanOf = (losses: Tensor[]) => scale(add(...losses), 1 / Math.max(1, losses.length));
    const balanceLoss = meanOf(routed.map((layer) => layer.balanceLoss));
    const zLoss = meanOf(routed.map((layer) => layer.zLoss));
    const extra = routed.flatMap((layer) => Object.values(layer.losses));
    const parts = [crossEntropy, ...extra];
    if (moe.balanceLoss > 0) parts.push(scale(balanceLoss, moe.balanceLoss));
    if (moe.zLoss > 0) parts.push(scale(zLoss, moe.zLoss));
    const dropped = routed.flatMap((layer) => layer.dropped ?? []);
    return {
      total: add(...parts),
      loss: crossEntropy,
      balanceLoss,
      zLoss,
      load: routed.map((layer) => layer.load),
      ...(dropped.length > 0 && { dropped }),
      probabilities: routed.map((layer) => layer.probabilities),
      logits: routed.map((layer) => layer.logits),
    };
  }

  function next(parameters: LanguageModelParameters<Tensor>, { token, position, caches, buffers }: NextInput): Tensor {
    const mask = constant(token.trace, [1], 1);
    const attend = (qkv: Tensor, block: number) => {
      const rotated = ropeAt(reshape(qkv, [1, 3, heads, headDim]), position);
      return reshape(cachedAttention(rotated, caches[block]!, position), [1, dim]);
    };
    const { x } = trunk(parameters, token, mask, { buffers, training: false }, attend);
    return linear(x, parameters.head);
  }

  return { config, router, init, loss, next };
}

/** A target that takes no part in the loss. */
export { IGNORE };
