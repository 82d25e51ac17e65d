import type { ModelConfig } from "./config";

/** A model with the batch and router width it is benchmarked with. */
export interface Preset {
  /** The sizes of its model. */
  model: ModelConfig;
  /** Width of the recurrent router's state. */
  routerDim: number;
  /** Sequences a step. */
  batch: number;
}

const moe = { topK: 2, balanceLoss: 0.01, zLoss: 0 };

/** `nano` is made for software drivers; the others are the models of the speed comparison with PyTorch. */
export const presets = {
  nano: {
    model: { vocab: 256, dim: 64, layers: 2, heads: 2, context: 64, moe: { ...moe, experts: 4, hidden: 64 } },
    routerDim: 32,
    batch: 8,
  },
  tiny: {
    model: { vocab: 256, dim: 128, layers: 4, heads: 4, context: 256, moe: { ...moe, experts: 8, hidden: 256 } },
    routerDim: 128,
    batch: 16,
  },
  small: {
    model: { vocab: 256, dim: 512, layers: 8, heads: 8, context: 512, moe: { ...moe, experts: 16, hidden: 704 } },
    routerDim: 128,
    batch: 16,
  },
  base: {
    model: { vocab: 32000, dim: 768, layers: 12, heads: 12, context: 1024, moe: { ...moe, experts: 16, hidden: 1024 } },
    routerDim: 128,
    batch: 8,
  },
} satisfies Record<string, Preset>;

/** A name of `presets`. */
export type PresetName = keyof typeof presets;
