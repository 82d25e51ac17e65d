// The end of gradients whose rows were cut (expert-parts.ts): the spare sums of an expert are added to its gradient, always in
// the same order. Where no expert has much more than its share all workgroups leave at once. Both products of a layer share a
// dispatch (fold-pairs.ts). The shader is in add-spares-shader.ts.

import { type Kernel, kernel } from "../kernel";
import { spareKernels } from "./kernels-of-target";
import { wide } from "./wide";

/** As `addSpares` for two products, which may have lists of their own. */
const addSparesOfTwo = kernel({
  name: "addSparesOfTwo",
  buffers: {
    parts0: "read u32",
    spare0: "read",
    dweight0: "update",
    parts1: "read u32",
    spare1: "read",
    dweight1: "update",
  },
  sizes: { width0: "u32", spares0: "u32", width1: "u32", spares1: "u32" },
  source: (sizes, target) => spareKernels().addition(sizes, target, wide),
});

/** dweight0[e,:] += sum over the spare sums s of expert e of spare0[s,:], in order; width0 is out * in. */
export const addSpares = kernel({
  name: "addSpares",
  buffers: { parts0: "read u32", spare0: "read", dweight0: "update" },
  sizes: { width0: "u32", spares0: "u32" },
  pair: addSparesOfTwo as Kernel,
  source: (sizes, target) => spareKernels().addition(sizes, target, wide),
});
