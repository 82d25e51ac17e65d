import { type Model, moeLayers } from "@webmoe/model";
import { fold, type InputSpec, key, u32 } from "@webmoe/tensor";

/**
 * Keys of the random numbers of a training step: inputs of its programs, one for each MoE layer of a model with `moe.jitter`
 * and none for others, and their values as a function of seed, step and micro-batch.
 */
export function stepNoise({ config }: Model, seed: number) {
  const layers = config.moe.jitter ? moeLayers(config).map((_, layer) => layer) : [];
  const inputs: Record<`noise${number}`, InputSpec<"u32">> = Object.fromEntries(
    layers.map((layer) => [`noise${layer}`, u32(2)]),
  );
  return {
    inputs,
    keys(step: number | undefined, micro: number): Record<`noise${number}`, Uint32Array> {
      if (step === undefined && layers.length > 0) {
        throw new Error("session.step: needs the number of the step where moe.jitter is set, got none");
      }
      const own = fold(key(seed), `noise.${step}.${micro}`);
      return Object.fromEntries(layers.map((layer) => [`noise${layer}`, Uint32Array.from(fold(own, layer))]));
    },
  };
}
