// Updates with a velocity alone, over a flat range of parameters: gradient descent, what Muon makes its direction from and
// how it goes that way, and a moving average. `coefficient` clips the gradient; a negative one leaves everything as it is.

import { kernel } from "../kernel";
import { wide } from "./wide";

/** m = momentum m + coefficient[0] g, p -= lr[0] (decay p + m) */
export const sgd = kernel({
  name: "sgd",
  buffers: { p: "update", g: "read", m: "update", lr: "read", coefficient: "read" },
  sizes: { items: "u32", momentum: "f32", decay: "f32" },
  specialize: false,
  flops: ({ items }) => 7 * items,
  source: ({ items }, target) => {
    const { lanes, vectors } = wide(target, items, ["p", "g", "m"]);
    return {
      form: "items",
      items: items / lanes,
      vectors,
      results: ["p"],
      wgsl: /* wgsl */ `
fn run(i: u32) {
  if (coefficient[0] < 0.0) { return; }
  let velocity = sizes.momentum * m[i] + coefficient[0] * g[i];
  m[i] = velocity;
  write_p(i, p[i] - lr[0] * (sizes.decay * p[i] + velocity));
}`,
    };
  },
});

/** m = momentum m + coefficient[0] g, y = coefficient[0] g + momentum m (Nesterov's); y = 0 where the step is skipped */
export const nesterov = kernel({
  name: "nesterov",
  buffers: { g: "read", m: "update", coefficient: "read", y: "write" },
  sizes: { items: "u32", momentum: "f32" },
  specialize: false,
  flops: ({ items }) => 5 * items,
  source: ({ items }, target) => {
    const { lanes, vectors } = wide(target, items, ["g", "m", "y"]);
    return {
      form: "items",
      items: items / lanes,
      vectors,
      wgsl: /* wgsl */ `
fn run(i: u32) {
  if (coefficient[0] < 0.0) {
    y[i] = 0.0 * m[i];
    return;
  }
  let gradient = coefficient[0] * g[i];
  let velocity = sizes.momentum * m[i] + gradient;
  m[i] = velocity;
  y[i] = gradient + sizes.momentum * velocity;
}`,
    };
  },
});

/** p -= rate lr[0] (decay p + factor d), unless coefficient[0] < 0 */
export const descend = kernel({
  name: "descend",
  buffers: { p: "update", d: "read", lr: "read", coefficient: "read" },
  sizes: { items: "u32", rate: "f32", decay: "f32", factor: "f32" },
  specialize: false,
  flops: ({ items }) => 5 * items,
  source: ({ items }, target) => {
    const { lanes, vectors } = wide(target, items, ["p", "d"]);
    return {
      form: "items",
      items: items / lanes,
      vectors,
      results: ["p"],
      wgsl: /* wgsl */ `
fn run(i: u32) {
  if (coefficient[0] < 0.0) { return; }
  write_p(i, p[i] - sizes.rate * lr[0] * (sizes.decay * p[i] + sizes.factor * d[i]));
}`,
    };
  },
});

/** y += rate (x - y) */
export const movingAverage = kernel({
  name: "movingAverage",
  buffers: { y: "update", x: "read" },
  sizes: { items: "u32", rate: "f32" },
  specialize: false,
  flops: ({ items }) => 3 * items,
  source: ({ items }, target) => {
    const { lanes, vectors } = wide(target, items, ["y", "x"]);
    return {
      form: "items",
      items: items / lanes,
      vectors,
      results: ["y"],
      wgsl: /* wgsl */ `
fn run(i: u32) { write_y(i, y[i] + sizes.rate * (x[i] - y[i])); }`,
    };
  },
});
