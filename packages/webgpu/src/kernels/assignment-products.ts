// Experts of a few tokens, as when text is written a token at a time: an assignment reads its expert's matrices by itself. Nothing
// is sorted and there is no padding, where the grouped products would pad every assignment to a tile of rows. Token t has the
// assignments t * each and on. Every element of a result has walkers of its own, as in matmul-rows.ts. Weights are [E, out, in].
// Their shaders are in assignment-shaders.ts.

import { kernel } from "../kernel";
import { type GateActivation, gateActivations } from "./gated";
import { decodeKernels } from "./kernels-of-target";
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
    const operands = wide(target, inner, ["x", "weight"]);
    return {
      form: "rows",
      rows: tokens * each * out,
      workgroup: walkers(target, inner / operands.lanes),
      vectors: operands.vectors,
      wgsl: decodeKernels().assignments.product(operands),
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
    const operands = wide(target, inner, ["x", "weight"]);
    return {
      form: "rows",
      rows: tokens * each * out,
      workgroup: walkers(target, inner / operands.lanes),
      vectors: operands.vectors,
      wgsl: decodeKernels().assignments.gate(operands, gateActivations[activation]),
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
    const operands = wide(target, inner, ["y", "weight"]);
    return {
      form: "rows",
      rows: tokens * out,
      workgroup: walkers(target, inner / operands.lanes),
      vectors: operands.vectors,
      wgsl: decodeKernels().assignments.sum(operands),
    };
  },
});
