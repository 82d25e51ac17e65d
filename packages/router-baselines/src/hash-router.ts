import { defineRouter } from "@webmoe/router";
import {
  constant,
  embedding,
  fold,
  type Init,
  map,
  reshape,
  sum,
  type Tensor,
  tokenOfAssignment,
  topKSoftmax,
  uniform,
} from "@webmoe/tensor";

/**
 * The token's id alone decides: K hash functions name its experts, each weighted 1/K (Roller et al. 2021, Hash Layers, arXiv
 * 2106.04426, random hashes). Every layer has its own table of a random number for each token and expert; the K largest of a
 * row are the hashes, which therefore never name one expert twice. The same numbers are the logits. No learned parameters;
 * L V E frozen numbers.
 */
export function hashRouter() {
  return defineRouter<Record<string, never>, Record<string, never>, undefined, { layers: { table: Init }[] }>({
    name: "hash",
    init: ({ experts, layers, vocab }, key) => ({
      shared: {},
      layers: Array.from({ length: layers }, () => ({})),
      buffers: {
        layers: Array.from({ length: layers }, (_, index) => ({
          table: uniform([vocab, experts], 1, fold(key, `layers.${index}.table`)),
        })),
      },
    }),
    score: ({ tokens, buffers, index }) => ({ logits: embedding(buffers!.layers[index]!.table, tokens) }),
    select: ({ logits, mask, topK }) => {
      const { expert } = topKSoftmax(logits, mask, topK, false);
      const [rows, experts] = logits.shape as [number, number];
      const weight = map("hashWeight", [tokenMask(mask, topK)], (mask) => mask.div(topK));
      const hits = map("hashed", [reshape(expert, [rows, topK, 1]), columns(logits, experts)], (expert, column) =>
        expert.sub(column).abs().less(0.5),
      );
      const probabilities = map("hashShare", [reshape(sum(hits, 1, 2), [rows, experts])], (hits) => hits.div(topK));
      return { token: tokenOfAssignment(logits, topK), expert, weight, probabilities };
    },
  });
}

/** The mask of each assignment, [T * K]. */
function tokenMask(mask: Tensor, topK: number): Tensor {
  const ones = constant(mask.trace, [topK], 1);
  return reshape(
    map("each", [reshape(mask, [mask.size, 1]), ones], (mask, one) => mask.mul(one)),
    [mask.size * topK],
  );
}

/** 0, 1, ... as numbers [E]. */
function columns({ trace }: Tensor, experts: number): Tensor<"u32"> {
  return tokenOfAssignment(constant(trace, [experts], 0), 1);
}
