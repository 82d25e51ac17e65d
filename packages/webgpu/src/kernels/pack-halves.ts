import type { Kernel } from "../kernel";

/**
 * y[i] = (x[2i], x[2i+1]) rounded to f16, as `pack2x16float` lays them out: operands of large products on matrix units. One
 * packing serves every product that reads the matrix, so a repeat is shared whatever its size.
 */
export const packHalves: Kernel<"x" | "y", "items"> = {
  name: "packHalves",
  buffers: { x: "read", y: "write u32" },
  sizes: { items: "u32" },
  specialize: false,
  shareRepeats: "any size",
  source: ({ items }, { kernelClass }) =>
    kernelClass === "tiled" && items % 4 === 0
      ? {
          form: "items",
          items: items / 4,
          vectors: { x: "vec4f", y: "vec4u" },
          wgsl: /* wgsl */ `
fn run(i: u32) {
  let low = x[2u * i];
  let high = x[2u * i + 1u];
  y[i] = vec4u(pack2x16float(low.xy), pack2x16float(low.zw), pack2x16float(high.xy), pack2x16float(high.zw));
}`,
        }
      : {
          form: "items",
          items,
          wgsl: "fn run(i: u32) { y[i] = pack2x16float(vec2f(x[2u * i], x[2u * i + 1u])); }",
        },
};
