// Updates with a velocity alone, over a flat range of parameters: gradient descent, what Muon makes its direction from and
// how it goes that way, and a moving average. `coefficient` clips the gradient; a negative one leaves everything as it is.
// The shaders are in momentum-shaders.ts.

import { kernel } from "../kernel";
import { momentumKernels } from "./kernels-of-target";
import { overItems } from "./wide";

/** m = momentum m + coefficient[0] g, p -= lr[0] (decay p + m) */
export const sgd = kernel({
  name: "sgd",
  buffers: { p: "update", g: "read", m: "update", lr: "read", coefficient: "read" },
  sizes: { items: "u32", momentum: "f32", decay: "f32" },
  specialize: false,
  flops: ({ items }) => 7 * items,
  source: ({ items }, target) => ({
    ...overItems(target, items, ["p", "g", "m"]),
    results: ["p"],
    wgsl: momentumKernels().sgd,
  }),
});

/** m = momentum m + coefficient[0] g, y = coefficient[0] g + momentum m (Nesterov's); y = 0 where the step is skipped */
export const nesterov = kernel({
  name: "nesterov",
  buffers: { g: "read", m: "update", coefficient: "read", y: "write" },
  sizes: { items: "u32", momentum: "f32" },
  specialize: false,
  flops: ({ items }) => 5 * items,
  source: ({ items }, target) => ({
    ...overItems(target, items, ["g", "m", "y"]),
    wgsl: momentumKernels().nesterov,
  }),
});

/** p -= rate lr[0] (decay p + factor d), unless coefficient[0] < 0 */
export const descend = kernel({
  name: "descend",
  buffers: { p: "update", d: "read", lr: "read", coefficient: "read" },
  sizes: { items: "u32", rate: "f32", decay: "f32", factor: "f32" },
  specialize: false,
  flops: ({ items }) => 5 * items,
  source: ({ items }, target) => ({
    ...overItems(target, items, ["p", "d"]),
    results: ["p"],
    wgsl: momentumKernels().descend,
  }),
});

/** y += rate (x - y) */
export const movingAverage = kernel({
  name: "movingAverage",
  buffers: { y: "update", x: "read" },
  sizes: { items: "u32", rate: "f32" },
  specialize: false,
  flops: ({ items }) => 3 * items,
  source: ({ items }, target) => ({
    ...overItems(target, items, ["y", "x"]),
    results: ["y"],
    wgsl: momentumKernels().movingAverage,
  }),
});
