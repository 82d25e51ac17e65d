// The middle of a gated feed-forward layer (Shazeer 2020, https://arxiv.org/abs/2002.05202), on rows [gate | up] as one matrix
// product leaves them.

import { kernel } from "../kernel";
import { wide } from "./wide";

/** What the gate passes through: SwiGLU, GEGLU (with the tanh approximation) or ReGLU. */
export type GateActivation = "silu" | "gelu" | "relu";

/** WGSL that sets `value` to the activation of `g` and `slope` to its derivative, both of the type `Wide`. */
export const gateActivations: Record<GateActivation, string> = {
  silu: `
  let s = 1.0 / (1.0 + exp(-g));
  let value = g * s;
  let slope = s * (1.0 + g * (1.0 - s));`,
  gelu: `
  let t = tanh(clamp(0.7978845608 * (g + 0.044715 * g * g * g), Wide() - 15.0, Wide() + 15.0));
  let value = 0.5 * g * (1.0 + t);
  let slope = 0.5 * (1.0 + t) + 0.5 * g * (1.0 - t * t) * 0.7978845608 * (1.0 + 0.134145 * g * g);`,
  relu: `
  let slope = select(Wide(), Wide() + 1.0, g > Wide());
  let value = g * slope;`,
};

/** Which activation the gate has. */
export interface GateOptions {
  /** What the gate goes through before it weighs the other half. */
  activation: GateActivation;
}

/** y[r,c] = activation(x[r,c]) * x[r,hidden+c], for x [rows, 2 hidden] */
export const gatedForward = kernel({
  name: "gatedForward",
  buffers: { x: "read", y: "write" },
  sizes: { rows: "u32", hidden: "u32" },
  source: ({ rows, hidden }, target, { activation }: GateOptions) => {
    const { lanes, alias, vectors } = wide(target, hidden, ["x", "y"]);
    return {
      form: "items",
      items: (rows * hidden) / lanes,
      vectors,
      results: ["y"],
      operands: ["x"],
      wgsl: /* wgsl */ `${alias}
fn run(i: u32) {
  let width = sizes.hidden / ${lanes}u;
  let at = i / width * width + i;
  let g = read_x(at);${gateActivations[activation]}
  write_y(i, value * read_x(at + width));
}`,
    };
  },
});

/** dx[r,c] = dy[r,c] * activation'(x[r,c]) * x[r,hidden+c], dx[r,hidden+c] = dy[r,c] * activation(x[r,c]) */
export const gatedBackward = kernel({
  name: "gatedBackward",
  buffers: { x: "read", dy: "read", dx: "write" },
  sizes: { rows: "u32", hidden: "u32" },
  source: ({ rows, hidden }, target, { activation }: GateOptions) => {
    const { lanes, alias, vectors } = wide(target, hidden, ["x", "dy", "dx"]);
    return {
      form: "items",
      items: (rows * hidden) / lanes,
      vectors,
      results: ["dx"],
      operands: ["x", "dy"],
      wgsl: /* wgsl */ `${alias}
fn run(i: u32) {
  let width = sizes.hidden / ${lanes}u;
  let at = i / width * width + i;
  let g = read_x(at);${gateActivations[activation]}
  let flowing = read_dy(i);
  write_dx(at, flowing * slope * read_x(at + width));
  write_dx(at + width, flowing * value);
}`,
    };
  },
});
