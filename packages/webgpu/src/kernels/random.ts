// Random numbers that are functions of a key alone. One invocation a pair: elements 2i and 2i + 1 come from the two words of
// threefry with the counter (i, 0).

import { kernel } from "../kernel";
import { threefry } from "./threefry";

const uniforms = /* wgsl */ `${threefry}
// The upper 24 bits of each word as a number in [0, 1).
fn uniforms(pair: u32) -> vec2f {
  return vec2f(threefry(vec2u(key[0], key[1]), vec2u(pair, 0u)) >> vec2u(8u)) * 0x1p-24f;
}
fn store(pair: u32, values: vec2f) {
  y[2u * pair] = values.x;
  if (2u * pair + 1u < sizes.items) { y[2u * pair + 1u] = values.y; }
}`;

/** y[i] uniform in [low, high) */
export const randomUniform = kernel({
  name: "randomUniform",
  buffers: { key: "read u32", y: "write" },
  sizes: { items: "u32", low: "f32", high: "f32" },
  specialize: false,
  source: ({ items }) => ({
    form: "items",
    items: Math.ceil(items / 2),
    wgsl: /* wgsl */ `${uniforms}
fn run(i: u32) { store(i, sizes.low + uniforms(i) * (sizes.high - sizes.low)); }`,
  }),
});

/** y[i] = 0 where the uniform number of i is below rate, else x[i] / (1 - rate) */
export const dropout = kernel({
  name: "dropout",
  buffers: { key: "read u32", x: "read", y: "write" },
  sizes: { items: "u32", rate: "f32" },
  specialize: false,
  source: ({ items }) => ({
    form: "items",
    items: Math.ceil(items / 2),
    wgsl: /* wgsl */ `${uniforms}
fn run(i: u32) {
  let last = sizes.items - 1u;
  let values = vec2f(x[2u * i], x[min(2u * i + 1u, last)]) / (1.0 - sizes.rate);
  store(i, select(values, vec2f(0.0), uniforms(i) < vec2f(sizes.rate)));
}`,
  }),
});

/** y[2i], y[2i+1] = deviation * sqrt(-2 log(1 - u0)) * (cos(a), sin(a)) with a = 2 pi (u1 - 1/2): Box and Muller 1958 */
export const randomNormal = kernel({
  name: "randomNormal",
  buffers: { key: "read u32", y: "write" },
  sizes: { items: "u32", deviation: "f32" },
  specialize: false,
  source: ({ items }) => ({
    form: "items",
    items: Math.ceil(items / 2),
    wgsl: /* wgsl */ `${uniforms}
fn run(i: u32) {
  let u = uniforms(i);
  let radius = sizes.deviation * sqrt(-2.0 * log(1.0 - u.x));
  let angle = 6.2831853 * (u.y - 0.5);
  store(i, radius * vec2f(cos(angle), sin(angle)));
}`,
  }),
});
