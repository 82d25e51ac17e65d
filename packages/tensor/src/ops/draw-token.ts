import { drawToken } from "@webmoe/webgpu";
import { showShape } from "../shape";
import { place, type Tensor, withoutGradient } from "../tensor";

/**
 * Draw a token by its scores `logits` [1, V] into `token`, u32 [1] of the state. `choice` f32 [4] is (temperature, topK, topP,
 * random): temperature 0 takes the most likely; topK 0 and topP 1 leave all tokens in; random is uniform in [0, 1).
 */
export function drawInto(token: Tensor<"u32">, logits: Tensor, choice: Tensor): void {
  if (token.size !== 1 || logits.size !== logits.shape.at(-1) || choice.size !== 4) {
    throw new Error(
      `drawInto: needs one token, logits [1, V] and four numbers to choose by, ` +
        `got ${showShape(token.shape)}, ${showShape(logits.shape)} and ${showShape(choice.shape)}`,
    );
  }
  place(drawToken, { logits, choice, token }, { vocab: logits.size }, {});
  withoutGradient("drawInto", [token], [logits]);
}
