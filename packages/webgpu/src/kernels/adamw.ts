// AdamW (Loshchilov and Hutter 2019, https://arxiv.org/abs/1711.05101) as in PyTorch, over a flat range of parameters.
// What changes from step to step is data: the learning rate, the coefficient of clipping, and the bias corrections, which
// a kernel of one invocation derives from the count of applied steps.
//
// Decay rates are given as rate = 1 - beta: beta near one does not fit an f32 (1 - f32(0.999) is off by 5e-5), and
// neither does beta^t, so that 1 - beta^t is built from 1 - beta directly.

import { kernel } from "../kernel";
import { overItems } from "./wide";

/** step[0] += 1 unless coefficient[0] < 0, corrections = [1 - (1 - rate1)^step, 1 - (1 - rate2)^step] */
export const adamwCorrections = kernel({
  name: "adamwCorrections",
  buffers: { step: "update u32", coefficient: "read", corrections: "write" },
  sizes: { rate1: "f32", rate2: "f32" },
  specialize: false,
  source: () => ({
    form: "items",
    items: 1,
    wgsl: /* wgsl */ `
// With c(n) = 1 - beta^n: c(a + b) = c(a) + c(b) (1 - c(a)), applied along the bits of the exponent.
fn correction(rate: f32, exponent: u32) -> f32 {
  var result = 0.0;
  var power = rate;
  for (var rest = exponent; rest > 0u; rest >>= 1u) {
    if ((rest & 1u) == 1u) { result += power * (1.0 - result); }
    power += power * (1.0 - power);
  }
  return result;
}
fn run(i: u32) {
  let applied = step[0] + select(1u, 0u, coefficient[0] < 0.0);
  step[0] = applied;
  corrections[0] = correction(sizes.rate1, applied);
  corrections[1] = correction(sizes.rate2, applied);
}`,
  }),
});

/**
 * With gradient g = coefficient[0] * g and learning rate lr[0]:
 * p -= lr decay p, m += rate1 (g - m), v += rate2 (g^2 - v),
 * p -= lr (m / corrections[0]) / (sqrt(v / corrections[1]) + eps)
 * A negative coefficient leaves everything as it is.
 */
export const adamw = kernel({
  name: "adamw",
  buffers: {
    p: "update",
    g: "read",
    m: "update",
    v: "update",
    lr: "read",
    coefficient: "read",
    corrections: "read",
  },
  sizes: { items: "u32", rate1: "f32", rate2: "f32", eps: "f32", decay: "f32" },
  specialize: false,
  flops: ({ items }) => 14 * items,
  source: ({ items }, target) => ({
    ...overItems(target, items, ["p", "g", "m", "v"]),
    results: ["p"],
    wgsl: /* wgsl */ `
fn run(i: u32) {
  if (coefficient[0] < 0.0) { return; }
  let gradient = coefficient[0] * g[i];
  let first = m[i] + sizes.rate1 * (gradient - m[i]);
  let second = v[i] + sizes.rate2 * (gradient * gradient - v[i]);
  m[i] = first;
  v[i] = second;
  let decayed = p[i] - lr[0] * sizes.decay * p[i];
  write_p(i, decayed - lr[0] * (first / corrections[0]) / (sqrt(second / corrections[1]) + sizes.eps));
}`,
  }),
});
