import { linearWeight, orthogonal } from "@webmoe/nn";
import { defineRouter } from "@webmoe/router";
import { constantInit, fold, type Init, map, matmul, mul, reshape, sum, type Tensor } from "@webmoe/tensor";

export interface XmoeRouterOptions {
  /** Width d_e that tokens and experts are compared in. Default 16. */
  dim?: number;
  /** First value of the learned temperature. Default 0.3. */
  temperature?: number;
}

interface Layer {
  projection: Init; // [d_e, D]
  experts: Init; // [E, d_e]
  temperature: Init; // []
}

/**
 * logits = cos(D_l u, e_n) / tau_l in a low dimension, with a learned temperature (Chi et al. 2022, arXiv 2204.09179,
 * section 3). L (d d_e + E d_e + 1) parameters.
 */
export function xmoeRouter({ dim: width = 16, temperature = 0.3 }: XmoeRouterOptions = {}) {
  return defineRouter<Record<string, never>, Layer, undefined>({
    name: "xmoe",
    init: ({ dim, experts, layers }, key) => ({
      shared: {},
      layers: Array.from({ length: layers }, (_, index) => {
        const own = fold(key, `layers.${index}`);
        return {
          projection: linearWeight([width, dim], fold(own, "projection")),
          experts: orthogonal(experts, width, 0.32, fold(own, "experts")),
          temperature: constantInit([], temperature),
        };
      }),
    }),
    score: ({ x, layer }) => {
      const token = unitRows(matmul(x, layer.projection, { transposeB: true }));
      const cosine = matmul(token, unitRows(layer.experts), { transposeB: true });
      return { logits: map("temperature", [cosine, layer.temperature], (c, tau) => c.div(tau.max(0.01))) };
    },
  });
}

/** Every row scaled to length 1; a row of zeros stays zero. */
function unitRows(x: Tensor): Tensor {
  const squares = sum(mul(x, x), 1, 2); // [T, 1]
  return map("unitRows", [x, reshape(squares, [x.shape[0]!, 1])], (x, squares) =>
    x.mul(squares.max(1e-12).inverseSqrt()),
  );
}
