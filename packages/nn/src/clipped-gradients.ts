import { globalNorm, type LossScaleState, type MapLeaves, packLike, type Tensor, unscale } from "@webmoe/tensor";

/** Gradients laid out as the parameters are, by arena, and what updates multiply them by. */
export interface ClippedGradients {
  packed: Map<Tensor["slice"]["storage"], Tensor>;
  /** The global norm before clipping. */
  norm: Tensor;
  /** Brings the norm down to the largest allowed one, and undoes the loss scale; negative where the step is to be skipped. */
  coefficient: Tensor;
}

/** Lay out gradients for an optimizer and find the factor that clips them. */
export function clippedGradients<P>(
  parameters: P,
  gradients: MapLeaves<P, Tensor>,
  lossScale: LossScaleState<Tensor, Tensor<"u32">> | undefined,
  clip: number,
): ClippedGradients {
  const packed = packLike(parameters, gradients);
  const clipped = globalNorm([...packed.values()], lossScale ? 0 : clip);
  return { packed, ...(lossScale ? unscale(clipped.norm, lossScale, { maxNorm: clip }) : clipped) };
}
