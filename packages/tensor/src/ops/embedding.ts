import { embeddingForward, embeddingGradient, embeddingGradientOfTokens } from "@webmoe/webgpu";
import { showShape } from "../shape";
import { type AnyTensor, place, type Tensor, withGradient } from "../tensor";
import { constant } from "./formulas";

/** Row `tokens[t]` of `weight` [V, D] for every token. tokens is u32 [T]; the result [T, D]. */
export function embedding(weight: Tensor, tokens: Tensor<"u32">): Tensor {
  const { dtype }: AnyTensor = tokens;
  if (weight.shape.length !== 2 || dtype !== "u32") {
    throw new Error(`embedding: needs weight [V, D] and u32 tokens, got ${showShape(weight.shape)} and ${tokens}`);
  }
  const [vocab, dim] = weight.shape as [number, number];
  const sizes = { tokens: tokens.size, cols: dim };
  const { y } = place(embeddingForward, { weight, tokens }, sizes, { y: [tokens.size, dim] });
  return withGradient("embedding", y, [weight], (dy) => {
    const all = { ...sizes, vocab };
    if (vocab <= tokens.size) return [place(embeddingGradient, { tokens, dy }, all, { dweight: weight.shape }).dweight];
    // Most entries have no token: their zeros are written by a kernel that does nothing else.
    const dweight = constant(dy.trace, weight.shape, 0);
    place(embeddingGradientOfTokens, { tokens, dy, dweight }, all, {});
    return [dweight];
  });
}
