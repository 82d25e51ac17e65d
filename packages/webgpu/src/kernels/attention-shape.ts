/** The shape of one attention: qkv is [batch, context, 3, heads, headDim]. */
export interface AttentionSizes {
  batch: number;
  context: number;
  heads: number;
  headDim: number;
}
