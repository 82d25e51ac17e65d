import {
  globalNorm,
  type LossLimit,
  type LossScaleState,
  type MapLeaves,
  packLike,
  type Tensor,
  unscale,
} from "@webmoe/tensor";

/** Gradients laid out as the parameters are, by arena, and what updates multiply them by. */
export interface ClippedGradients {
  packed: Map<Tensor["slice"]["storage"], Tensor>;
  /** The global norm before clipping. */
  norm: Tensor;
  /** Brings the norm down to the largest allowed one, and undoes the loss scale; negative where the step is to be skipped. */
  coefficient: Tensor;
}

/** Lay out gradients for an optimizer and find the factor that clips them, which skips a step whose loss is past the limit. */
export function clippedGradients<P>(
  parameters: P,
  gradients: MapLeaves<P, Tensor>,
  lossScale: LossScaleState<Tensor, Tensor<"u32">> | undefined,
  clip: number,
  limit?: LossLimit,
): ClippedGradients {
  const packed = packLike(parameters, gradients);
  const all = [...packed.values()];
  if (!lossScale) return { packed, ...globalNorm(all, clip, limit) };
  return { packed, ...unscale(all, lossScale, { maxNorm: clip, limit }) };
}
