// Kernels that move rows of numbers take four neighbouring columns at a time where they can: a GPU reaches its bandwidth
// with 16 bytes an invocation, not with four.

import type { KernelTarget } from "../kernel";

/** How a kernel reads rows: with `vec4f` four columns at a time, or one. */
export interface Wide {
  /** Columns at a time. */
  lanes: 1 | 4;
  /** WGSL declaration of `Wide`, the type of that many columns. */
  alias: string;
  /** For the `vectors` of a kernel's source. */
  vectors?: Record<string, string>;
  /** WGSL for the sum of the products of two `Wide`. */
  dot(a: string, b: string): string;
}

/** Four columns at a time on the "tiled" class where rows of `columns` allow it; `buffers` are then bound as vectors. */
export function wide({ kernelClass }: KernelTarget, columns: number, buffers: string[]): Wide {
  if (kernelClass !== "tiled" || columns % 4 !== 0) {
    return { lanes: 1, alias: "alias Wide = f32;", dot: (a, b) => `${a} * ${b}` };
  }
  return {
    lanes: 4,
    alias: "alias Wide = vec4f;",
    dot: (a, b) => `dot(${a}, ${b})`,
    vectors: Object.fromEntries(buffers.map((name) => [name, "vec4f"])),
  };
}

/** The frame of a kernel that does the same with every element of flat buffers: an invocation for as many as it takes at a time. */
export function overItems(target: KernelTarget, items: number, buffers: string[]) {
  const { lanes, vectors } = wide(target, items, buffers);
  return { form: "items" as const, items: items / lanes, vectors };
}
