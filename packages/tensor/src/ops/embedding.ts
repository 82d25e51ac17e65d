import { embeddingForward, embeddingGradient } from "@webmoe/webgpu";
import { showShape } from "../shape";
import { type AnyTensor, place, type Tensor, withGradient } from "../tensor";

/** Row `tokens[t]` of `weight` [V, D] for every token. tokens is u32 [T]; the result [T, D]. */
export function embedding(weight: Tensor, tokens: Tensor<"u32">): Tensor {
  const { dtype }: AnyTensor = tokens;
  if (weight.shape.length !== 2 || dtype !== "u32") {
    throw new Error(`embedding: needs weight [V, D] and u32 tokens, got ${showShape(weight.shape)} and ${tokens}`);
  }
  const [vocab, dim] = weight.shape as [number, number];
  const sizes = { tokens: tokens.size, cols: dim };
  const { y } = place(embeddingForward, { weight, tokens }, sizes, { y: [tokens.size, dim] });
  return withGradient("embedding", y, [weight], (dy) => [
    place(embeddingGradient, { tokens, dy }, { ...sizes, vocab }, { dweight: weight.shape }).dweight,
  ]);
}
