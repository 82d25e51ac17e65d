/** The shape of one attention: qkv is [batch, context, 3, heads, headDim]. */
export interface AttentionSizes {
  batch: number;
  context: number;
  heads: number;
  headDim: number;
}

/** Floating-point operations of `count` matrix products over the causal half of the scores. */
export const attentionFlops = (count: number, shape: AttentionSizes) =>
  count * shape.batch * shape.heads * shape.context * (shape.context + 1) * shape.headDim;
