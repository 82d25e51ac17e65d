// The choice of the next token from its scores, on the GPU: what is written next needs no round trip to the host.

import { kernel } from "../kernel";
import { decodeKernels } from "./kernels-of-target";

/**
 * With weights w_i = exp((logits[i] - largest) / temperature) and choice = (temperature, topK, topP, random):
 * token[0] = the first i at which w_0 + .. + w_i passes random * sum of w. Only the topK largest weights count (0: all), ties with the
 * smallest of them too, and of these only the fewest largest whose sum is at least topP of all (Holtzman et al. 2020). At temperature 0:
 * the most likely token, the first of several.
 */
export const drawToken = kernel({
  name: "drawToken",
  buffers: { logits: "read", choice: "read", token: "update u32" },
  sizes: { vocab: "u32" },
  specialize: false,
  source: () => ({
    form: "rows",
    rows: 1,
    workgroup: 256,
    wgsl: decodeKernels().draw.drawTokenShader,
  }),
});
