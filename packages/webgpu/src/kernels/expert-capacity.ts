// For experts that take a limited number of assignments, and for routing that is forced to be even.

import { kernel } from "../kernel";
import { selectionShaders } from "./kernels-of-target";
import type { CapacityOptions } from "./selection-shaders";

export type { CapacityOptions };

/** kept[a] = expert[a] where fewer than `capacity` assignments of that expert come before a, else none */
export const expertCapacity = kernel({
  name: "expertCapacity",
  buffers: { expert: "read u32", weight: "read", kept: "write u32" },
  sizes: { assignments: "u32", capacity: "u32" },
  source: ({ assignments }, _target, { drop }: CapacityOptions) => ({
    form: "items",
    items: assignments,
    wgsl: selectionShaders().expertCapacity(drop),
  }),
});

/** load[e] = assignments of expert e, as a float */
export const expertLoad = kernel({
  name: "expertLoad",
  buffers: { expert: "read u32", load: "write" },
  sizes: { assignments: "u32", experts: "u32" },
  source: ({ experts }) => ({
    form: "rows",
    rows: experts,
    wgsl: selectionShaders().expertLoad,
  }),
});

/** column[a] = a modulo experts; expert[a] is the same, but none where mask[a / topK] is 0 */
export const evenExperts = kernel({
  name: "evenExperts",
  buffers: { mask: "read", column: "write u32", expert: "write u32" },
  sizes: { tokens: "u32", topK: "u32", experts: "u32" },
  source: ({ tokens, topK }) => ({
    form: "items",
    items: tokens * topK,
    wgsl: selectionShaders().evenExperts,
  }),
});
