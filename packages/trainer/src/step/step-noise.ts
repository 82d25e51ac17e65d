import { type BatchTensors, type Model, moeLayers } from "@webmoe/model";
import { fold, type InputSpec, key, type Tensor, u32 } from "@webmoe/tensor";

/**
 * Keys of the random numbers of a training step, as inputs of its programs: with `moe.jitter` one for each MoE layer, with
 * dropout one or two for each block. Their values are a function of seed, step and micro-batch.
 */
export function stepNoise({ config }: Model, seed: number) {
  const uses = [
    { name: "noise", count: config.moe.jitter ? moeLayers(config).length : 0 },
    { name: "dropout", count: config.dropout ? 2 * config.layers : 0 },
    { name: "attentionDropout", count: config.attentionDropout ? config.layers : 0 },
    { name: "hiddenDropout", count: config.moe.dropout ? 2 * config.layers : 0 },
  ];
  const places = uses.flatMap(({ name, count }) => Array.from({ length: count }, (_, index) => ({ name, index })));
  const inputs: Record<string, InputSpec<"u32">> = Object.fromEntries(
    places.map(({ name, index }) => [`${name}${index}`, u32(2)]),
  );
  const keysOf = (given: BatchTensors, wanted: string): Tensor<"u32">[] =>
    places.flatMap(({ name, index }) => (name === wanted ? given[`${name}${index}`]! : []));
  return {
    inputs,
    /** The keys among a program's inputs, for the model. */
    of: (given: BatchTensors) => ({
      noise: keysOf(given, "noise"),
      dropoutKeys: keysOf(given, "dropout"),
      attentionDropoutKeys: keysOf(given, "attentionDropout"),
      hiddenDropoutKeys: keysOf(given, "hiddenDropout"),
    }),
    keys(step: number | undefined, micro: number): Record<string, Uint32Array> {
      if (step === undefined && places.length > 0) {
        throw new Error("session.step: needs the number of the step where there is moe.jitter or dropout, got none");
      }
      return Object.fromEntries(
        places.map(({ name, index }) => [
          `${name}${index}`,
          Uint32Array.from(fold(fold(key(seed), `${name}.${step}.${micro}`), index)),
        ]),
      );
    },
  };
}
