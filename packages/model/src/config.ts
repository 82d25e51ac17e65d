import { checkMoeConfig, type MoeConfig } from "@webmoe/moe";

/** The sizes of a language model. */
export interface ModelConfig {
  /** Different tokens. */
  vocab: number;
  /** Width of the residual stream. */
  dim: number;
  /** Transformer blocks. */
  layers: number;
  /** Attention heads of a block; each has dim / heads numbers, an even count. */
  heads: number;
  /** Tokens a sequence may have. */
  context: number;
  /** While training: the share of what attention and the experts (or the dense layer) bring to the residual stream that is zeroed. */
  dropout?: number;
  /** While training: the share of attention's weights that is zeroed. */
  attentionDropout?: number;
  /** The MoE layers, and how their losses count. */
  moe: MoeConfig & {
    /** Weight of the Switch balance loss, a mean over layers. */
    balanceLoss: number;
    /** Weight of the router z-loss, a mean over layers. */
    zLoss: number;
    /** Layers (from 0) with a plain SwiGLU of the active size instead of experts; the router's state passes by them. */
    denseLayers?: number[];
  };
}

/** Throw a one-line error for sizes that do not go together. */
export function checkConfig({ dim, heads, moe, layers, ...rest }: ModelConfig): void {
  for (const [name, value] of Object.entries({ dim, heads, layers, vocab: rest.vocab, context: rest.context })) {
    if (!Number.isInteger(value) || value < 1)
      throw new Error(`model.${name}: needs a positive whole number, got ${value}`);
  }
  if (dim % heads !== 0) throw new Error(`model.heads: needs a divisor of model.dim (${dim}), got ${heads}`);
  if ((dim / heads) % 2 !== 0)
    throw new Error(`model.heads: needs an even width per head, got ${dim} / ${heads} = ${dim / heads}`);
  const shares = {
    "model.dropout": rest.dropout,
    "model.attentionDropout": rest.attentionDropout,
    "moe.dropout": moe.dropout,
  };
  for (const [name, share = 0] of Object.entries(shares)) {
    if (!(share >= 0 && share < 1)) throw new Error(`${name}: needs a number from 0 to below 1, got ${share}`);
  }
  checkMoeConfig(moe);
  for (const layer of moe.denseLayers ?? []) {
    if (layer < 0 || layer >= layers)
      throw new Error(`moe.denseLayers: needs layers from 0 to ${layers - 1}, got ${layer}`);
  }
}

/** The layers with experts, in order. */
export function moeLayers({ layers, moe }: ModelConfig): number[] {
  const dense = new Set(moe.denseLayers ?? []);
  return Array.from({ length: layers }, (_, index) => index).filter((index) => !dense.has(index));
}
