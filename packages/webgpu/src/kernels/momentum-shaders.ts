// The shaders of momentum.ts, which says what they compute.

import type { KernelSource, KernelTarget } from "../kernel";
import type { wide } from "./wide";

interface Sizes {
  items: number;
}

/** Gradient descent with momentum. */
export function sgd({ items }: Sizes, target: KernelTarget, inVectors: typeof wide): KernelSource {
  const { lanes, vectors } = inVectors(target, items, ["p", "g", "m"]);
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
}

/** The direction of Nesterov's momentum. */
export function nesterov({ items }: Sizes, target: KernelTarget, inVectors: typeof wide): KernelSource {
  const { lanes, vectors } = inVectors(target, items, ["g", "m", "y"]);
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
}

/** A step along a direction. */
export function descend({ items }: Sizes, target: KernelTarget, inVectors: typeof wide): KernelSource {
  const { lanes, vectors } = inVectors(target, items, ["p", "d"]);
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
}

/** A running average. */
export function movingAverage({ items }: Sizes, target: KernelTarget, inVectors: typeof wide): KernelSource {
  const { lanes, vectors } = inVectors(target, items, ["y", "x"]);
  return {
    form: "items",
    items: items / lanes,
    vectors,
    results: ["y"],
    wgsl: /* wgsl */ `
fn run(i: u32) { write_y(i, y[i] + sizes.rate * (x[i] - y[i])); }`,
  };
}
