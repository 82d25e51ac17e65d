// The gates of a GRU cell in PyTorch's form, after its two matrix products: one invocation a state element. Rows of
// `input` and `hidden` hold the reset, update and candidate thirds side by side, as torch.nn.GRUCell's weights do.

import { kernel } from "../kernel";

/**
 * r = sigmoid(i_r + h_r); z = sigmoid(i_z + h_z); n = tanh(i_n + r * h_n); next = (1 - z) * n + z * h,
 * with i = input + inputBias, h_ = hidden + hiddenBias. `gates` keeps r, z, n and h_n of each row.
 */
export const gruForward = kernel({
  name: "gruForward",
  buffers: {
    input: "read",
    hidden: "read",
    inputBias: "read",
    hiddenBias: "read",
    state: "read",
    next: "write",
    gates: "write",
  },
  sizes: { rows: "u32", width: "u32" },
  source: ({ rows, width }) => ({
    form: "items",
    items: rows * width,
    wgsl: /* wgsl */ `
fn sigmoid(x: f32) -> f32 { return 1.0 / (1.0 + exp(-x)); }
fn run(i: u32) {
  let p = sizes.width;
  let c = i % p;
  let at = (i / p) * 3u * p + c;
  let r = sigmoid(input[at] + inputBias[c] + hidden[at] + hiddenBias[c]);
  let z = sigmoid(input[at + p] + inputBias[c + p] + hidden[at + p] + hiddenBias[c + p]);
  let candidate = hidden[at + 2u * p] + hiddenBias[c + 2u * p];
  let n = tanh(clamp(input[at + 2u * p] + inputBias[c + 2u * p] + r * candidate, -15.0, 15.0));
  next[i] = n + z * (state[i] - n);
  let saved = (i / p) * 4u * p + c;
  gates[saved] = r;
  gates[saved + p] = z;
  gates[saved + 2u * p] = n;
  gates[saved + 3u * p] = candidate;
}`,
  }),
});

/**
 * dz = dnext (h - n) z (1 - z); dn = dnext (1 - z) (1 - n^2); dr = dn h_n r (1 - r);
 * dinput = [dr, dz, dn]; dhidden = [dr, dz, dn r]; dstate = dnext z (what flows through dhidden comes on top).
 */
export const gruBackward = kernel({
  name: "gruBackward",
  buffers: {
    gates: "read",
    state: "read",
    dnext: "read",
    dinput: "write",
    dhidden: "write",
    dstate: "write",
  },
  sizes: { rows: "u32", width: "u32" },
  source: ({ rows, width }) => ({
    form: "items",
    items: rows * width,
    wgsl: /* wgsl */ `
fn run(i: u32) {
  let p = sizes.width;
  let c = i % p;
  let saved = (i / p) * 4u * p + c;
  let r = gates[saved];
  let z = gates[saved + p];
  let n = gates[saved + 2u * p];
  let candidate = gates[saved + 3u * p];
  let d = dnext[i];
  let dz = d * (state[i] - n) * z * (1.0 - z);
  let dn = d * (1.0 - z) * (1.0 - n * n);
  let dr = dn * candidate * r * (1.0 - r);
  let at = (i / p) * 3u * p + c;
  dinput[at] = dr;
  dinput[at + p] = dz;
  dinput[at + 2u * p] = dn;
  dhidden[at] = dr;
  dhidden[at + p] = dz;
  dhidden[at + 2u * p] = dn * r;
  dstate[i] = d * z;
}`,
  }),
});
