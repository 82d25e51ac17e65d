import { defineRouter } from "@webmoe/router";
import { add, constantInit, type Init, matmul, normal } from "@webmoe/tensor";

/** logits = W x + b, so that a test can push tokens to an expert by b. */
export const biasedRouter = defineRouter<Record<string, never>, { weight: Init; bias: Init }, undefined>({
  name: "biased",
  init: ({ dim, experts, layers }, key) => ({
    shared: {},
    layers: Array(layers).fill({ weight: normal([experts, dim], 1, key), bias: constantInit([experts], 0) }),
  }),
  score: ({ x, layer }) => ({ logits: add(matmul(x, layer.weight, { transposeB: true }), layer.bias) }),
});
