// Experts of a few tokens, as when text is written a token at a time: an assignment reads its expert's matrices by itself. Nothing
// is sorted and there is no padding, where the grouped products would pad every assignment to a tile of rows. Token t has the
// assignments t * each and on. Every element of a result has walkers of its own, as in matmul-rows.ts. Weights are [E, out, in].

import { kernel } from "../kernel";
import { type GateActivation, gateActivations } from "./gated";
import { walkers } from "./matmul-rows";
import { wide } from "./wide";

const sizes = { tokens: "u32", each: "u32", experts: "u32", out: "u32", in: "u32" } as const;

/** y[a,:] = W_e x[t,:] for each assignment a of a token t to an expert e; zeros for one to none */
export const assignmentProduct = kernel({
  name: "assignmentProduct",
  buffers: { x: "read", weight: "read", expert: "read u32", y: "write" },
  sizes,
  flops: ({ tokens, each, out, in: inner }) => 2 * tokens * each * out * inner,
  source: ({ tokens, each, out, in: inner }, target) => {
    const { lanes, vectors, dot } = wide(target, inner, ["x", "weight"]);
    return {
      form: "rows",
      rows: tokens * each * out,
      workgroup: walkers(target, inner / lanes),
      vectors,
      wgsl: /* wgsl */ `
fn run(row: u32) {
  let width = sizes.in / ${lanes}u;
  let a = row / sizes.out;
  let token = a / sizes.each * width;
  let e = expert[a];
  var sum = 0.0;
  if (e < sizes.experts) {
    let matrix = (e * sizes.out + row % sizes.out) * width;
    for (var k = first(); k < width; k += step()) { sum += ${dot("x[token + k]", "weight[matrix + k]")}; }
  }
  sum = rowSum(sum);
  if (isFirst()) { y[row] = sum; }
}`,
    };
  },
});

/** y[a,:] = activation(G_e x[t,:]) * U_e x[t,:], with G_e and U_e side by side in weight [E, 2, out, in]; zeros for none */
export const assignmentGate = kernel({
  name: "assignmentGate",
  buffers: { x: "read", weight: "read", expert: "read u32", y: "write" },
  sizes,
  flops: ({ tokens, each, out, in: inner }) => 4 * tokens * each * out * inner,
  source: ({ tokens, each, out, in: inner }, target, { activation }: { activation: GateActivation }) => {
    const { lanes, vectors, dot } = wide(target, inner, ["x", "weight"]);
    return {
      form: "rows",
      rows: tokens * each * out,
      workgroup: walkers(target, inner / lanes),
      vectors,
      wgsl: /* wgsl */ `
alias Wide = f32;
fn run(row: u32) {
  let width = sizes.in / ${lanes}u;
  let a = row / sizes.out;
  let token = a / sizes.each * width;
  let e = expert[a];
  var g = 0.0;
  var up = 0.0;
  if (e < sizes.experts) {
    let gates = (2u * e * sizes.out + row % sizes.out) * width;
    let ups = gates + sizes.out * width;
    for (var k = first(); k < width; k += step()) {
      let element = x[token + k];
      g += ${dot("element", "weight[gates + k]")};
      up += ${dot("element", "weight[ups + k]")};
    }
  }
  g = rowSum(g);
  up = rowSum(up);
  if (isFirst()) {${gateActivations[activation]}
    y[row] = value * up;
  }
}`,
    };
  },
});

/** out[t,:] = sum over the assignments a of token t to an expert e of share[a] * W_e y[a,:], in their order */
export const assignmentSum = kernel({
  name: "assignmentSum",
  buffers: { y: "read", weight: "read", expert: "read u32", share: "read", out: "write" },
  sizes,
  flops: ({ tokens, each, out, in: inner }) => 2 * tokens * each * out * inner,
  source: ({ tokens, out, in: inner }, target) => {
    const { lanes, vectors, dot } = wide(target, inner, ["y", "weight"]);
    return {
      form: "rows",
      rows: tokens * out,
      workgroup: walkers(target, inner / lanes),
      vectors,
      wgsl: /* wgsl */ `
fn run(row: u32) {
  let width = sizes.in / ${lanes}u;
  let start = row / sizes.out * sizes.each;
  var total = 0.0;
  for (var a = start; a < start + sizes.each; a++) {
    let e = expert[a];
    if (e < sizes.experts) {
      let matrix = (e * sizes.out + row % sizes.out) * width;
      var sum = 0.0;
      for (var k = first(); k < width; k += step()) { sum += ${dot("y[a * width + k]", "weight[matrix + k]")}; }
      total += share[a] * sum;
    }
  }
  total = rowSum(total);
  if (isFirst()) { out[row] = total; }
}`,
    };
  },
});
