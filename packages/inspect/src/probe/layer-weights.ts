import { compile, type DeviceTensor, leaves, mul, sizeOf, sum, type Tensor } from "@webmoe/tensor";
import type { Gpu } from "@webmoe/webgpu";
import { type ExpertSimilarity, expertSimilarity } from "../statistics/expert-similarity";
import type { ProbedModel } from "./probed-model";

/** What the weights of one MoE layer are like. */
export interface LayerWeights {
  similarity: ExpertSimilarity;
  /** Euclidean norm and standard deviation of the router's own tensors of this layer, by name. */
  router: Record<string, { norm: number; std: number }>;
}

/** Measure the weights of every MoE layer; sums are taken on the device. */
export async function measureWeights(gpu: Gpu, { model, parameters }: ProbedModel): Promise<LayerWeights[]> {
  const program = await compile(gpu, { label: "weights", state: { parameters } }, ({ parameters }) =>
    parameters.blocks
      .flatMap(({ experts }) => experts ?? [])
      .map(({ gateUp, up, down }, index) => ({
        // A sum has the direction of the mean, and similarity looks at directions alone.
        into: gateUp ? sum(gateUp, 2, 3) : sum(up!, 1, 2), // [E, 2, 1, D] or [E, 1, D]
        out: sum(down, 2, 3), // [E, D, 1]
        router: leaves<Tensor>(parameters.router.layers[index]).map(([, leaf]) => ({
          total: sum(leaf),
          square: sum(mul(leaf, leaf)),
        })),
      })),
  );
  const layers = await (await program.run({})).outputs;
  program.close();
  const { dim, moe } = model.config;
  return layers.map(({ into, out, router }, index) => ({
    similarity: expertSimilarity(
      [...partsOf(into as Float32Array, moe.experts, dim), out as Float32Array],
      moe.experts,
    ),
    router: Object.fromEntries(
      leaves<DeviceTensor>(parameters.router.layers[index]).map(([name, { shape }], at) => {
        const [total, square] = [router[at]!.total[0]!, router[at]!.square[0]!];
        const variance = square / sizeOf(shape) - (total / sizeOf(shape)) ** 2;
        return [name, { norm: Math.sqrt(square), std: Math.sqrt(Math.max(0, variance)) }];
      }),
    ),
  }));
}

/** [E, M, D] as M matrices [E, D]. */
function partsOf(values: Float32Array, experts: number, dim: number): Float32Array[] {
  const matrices = values.length / (experts * dim);
  return Array.from({ length: matrices }, (_, m) => {
    const part = new Float32Array(experts * dim);
    for (let e = 0; e < experts; e++) {
      const start = (e * matrices + m) * dim;
      part.set(values.subarray(start, start + dim), e * dim);
    }
    return part;
  });
}
