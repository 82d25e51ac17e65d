import {
  attentionBackwardKeyValue,
  attentionBackwardQuery,
  attentionForward,
  attentionTakesHalves,
  attentionTurnsBack,
  cachedAttention as cachedAttentionKernel,
  cacheRanges,
  cacheStore,
  droppedAttentionBackwardKeyValue,
  droppedAttentionBackwardQuery,
  droppedAttentionForward,
  mergeRanges,
} from "@webmoe/webgpu";
import { showShape } from "../shape";
import { place, type Tensor, withGradient, withoutGradient } from "../tensor";
import { checkDropout, type KeyedDropout } from "./dropout";
import { halves } from "./halves";
import { matrixUnits } from "./matrix-units";
import { ROPE_BASE, type RopeOptions, rope, turnedBy } from "./rope";

/** What changes attention. */
export interface AttentionOptions {
  /** Zero weights of the softmax. */
  dropout?: KeyedDropout;
  /** Turn queries and keys by their position first, as `rope` does. */
  rotary?: RopeOptions;
}

/**
 * Causal self-attention: softmax(q k^T / sqrt(headDim)) v, where a token sees itself and the tokens before it.
 * `qkv` is [batch, context, 3, heads, headDim]; the result [batch, context, heads, headDim]. Scores are never stored
 * (Dao et al. 2022); the backward pass computes them again. With `dropout`, each weight of the softmax is zeroed with a
 * probability and the others are divided by what is left, by a mask that is a function of a key alone.
 */
export function causalAttention(qkv: Tensor, { dropout, rotary }: AttentionOptions = {}): Tensor {
  const [batch, context, three, heads, headDim] = qkv.shape as [number, number, number, number, number];
  if (qkv.shape.length !== 5 || three !== 3) {
    throw new Error(`causalAttention: needs qkv [batch, context, 3, heads, headDim], got ${showShape(qkv.shape)}`);
  }
  const sizes = { batch, context, heads, headDim };
  const shape = [batch, context, heads, headDim];
  const takesHalves = !dropout && attentionTakesHalves(sizes, qkv.trace.target);
  const turnsBack = rotary && takesHalves && attentionTurnsBack(sizes);
  if (rotary && !turnsBack) return causalAttention(rope(qkv, rotary), { dropout });
  if (dropout) return droppedAttention(qkv, sizes, dropout);
  const { base = ROPE_BASE } = rotary ?? {};
  const operands = { halves: takesHalves, ...(turnsBack && { turnBack: base }) };
  const turned = turnsBack ? (matrixUnits().turnedProduct(qkv, base) ?? turnedBy(qkv, base)) : qkv;
  const operand = takesHalves ? halves(turned) : qkv;
  const results = { out: shape, lse: [batch, heads, context] };
  const { out, lse } = place(attentionForward, { qkv: operand }, sizes, results, operands);
  return withGradient("causalAttention", out, [qkv], (dout) => {
    const slope = takesHalves ? halves(dout) : dout;
    const given = { qkv: operand, dout: slope, lse };
    const query = { ...given, out: takesHalves ? halves(out) : out };
    const { delta, dqkv } = place(
      attentionBackwardQuery,
      query,
      sizes,
      { delta: lse.shape, dqkv: qkv.shape },
      operands,
    );
    place(attentionBackwardKeyValue, { ...given, delta, dqkv }, sizes, {}, operands);
    return [dqkv];
  });
}

/** Attention on kernels that draw their mask in every pass, in f32. */
function droppedAttention(qkv: Tensor, shape: Sizes, { key, rate }: KeyedDropout): Tensor {
  checkDropout("causalAttention", key, rate);
  const sizes = { ...shape, rate };
  const { batch, context, heads, headDim } = shape;
  const results = { out: [batch, context, heads, headDim], lse: [batch, heads, context] };
  const { out, lse } = place(droppedAttentionForward, { qkv, dropoutKey: key }, sizes, results);
  return withGradient("causalAttention with dropout", out, [qkv], (dout) => {
    const given = { qkv, dropoutKey: key, dout, lse };
    const written = { delta: lse.shape, dqkv: qkv.shape };
    const { delta, dqkv } = place(droppedAttentionBackwardQuery, { ...given, out }, sizes, written);
    place(droppedAttentionBackwardKeyValue, { ...given, delta, dqkv }, sizes, {});
    return [dqkv];
  });
}

type Sizes = Record<"batch" | "context" | "heads" | "headDim", number>;

/**
 * Rotary attention of one token over a key-value cache: turns its query and key by its position as `rope` does, stores key and
 * value at row `position` of `cache` ([context, 2, heads, headDim], state), then attends over rows 0 to `position`. `qkv` is
 * [1, 3, heads, headDim], `position` a u32 scalar; the result [1, heads, headDim]. Has no gradient.
 */
export function cachedAttention(
  qkv: Tensor,
  cache: Tensor,
  position: Tensor<"u32">,
  { base = ROPE_BASE }: RopeOptions = {},
): Tensor {
  const [tokens, three, heads, headDim] = qkv.shape as [number, number, number, number];
  const whole = qkv.shape.length === 4 && tokens === 1 && three === 3 && headDim % 2 === 0;
  if (!whole || cache.shape[2] !== heads || cache.shape[3] !== headDim) {
    throw new Error(
      `cachedAttention: needs qkv [1, 3, heads, headDim] with an even headDim and a cache [context, 2, heads, headDim], ` +
        `got ${showShape(qkv.shape)} and ${showShape(cache.shape)}`,
    );
  }
  const sizes = { context: cache.shape[0]!, heads, headDim };
  const { query } = place(cacheStore, { qkv, position, cache }, { ...sizes, base }, { query: [heads, headDim] });
  const ranges = cacheRanges(sizes.context, qkv.trace.target);
  const parts = place(cachedAttentionKernel, { query, cache, position }, sizes, {
    weights: [heads, sizes.context],
    out: [ranges, heads, headDim],
    totals: [ranges, heads, 2],
  });
  const out =
    ranges === 1
      ? parts.out
      : place(
          mergeRanges,
          { parts: parts.out, totals: parts.totals },
          { ranges, heads, headDim },
          { out: [1, heads, headDim] },
        ).out;
  withoutGradient("cachedAttention", [out], [qkv, cache]);
  return out;
}
