// The shaders of momentum.ts, which says what they compute.

/** Gradient descent with momentum. */
export const sgd: string = /* wgsl */ `
fn run(i: u32) {
  if (coefficient[0] < 0.0) { return; }
  let velocity = sizes.momentum * m[i] + coefficient[0] * g[i];
  m[i] = velocity;
  write_p(i, p[i] - lr[0] * (sizes.decay * p[i] + velocity));
}`;

/** The direction of Nesterov's momentum. */
export const nesterov: string = /* wgsl */ `
fn run(i: u32) {
  if (coefficient[0] < 0.0) {
    y[i] = 0.0 * m[i];
    return;
  }
  let gradient = coefficient[0] * g[i];
  let velocity = sizes.momentum * m[i] + gradient;
  m[i] = velocity;
  y[i] = gradient + sizes.momentum * velocity;
}`;

/** A step along a direction. */
export const descend: string = /* wgsl */ `
fn run(i: u32) {
  if (coefficient[0] < 0.0) { return; }
  write_p(i, p[i] - sizes.rate * lr[0] * (sizes.decay * p[i] + sizes.factor * d[i]));
}`;

/** A running average. */
export const movingAverage: string = /* wgsl */ `
fn run(i: u32) { write_y(i, y[i] + sizes.rate * (x[i] - y[i])); }`;
