// The middle of a gated expert (gated.ts) inside the products of its matrices, on matrix units. Rows [gate | up], two numbers a
// unit, are the widest of a layer, and a kernel of its own reads all of them again:
//
//   forward    a tile of the first product has 32 columns of the gate, the same 32 of up, the next 32 of the gate, ..
//              so that the invocation which writes both has what the second product reads
//   backward   what the second product hands back is multiplied by both as it leaves the tile
//
// All of it is rounded to f16 in memory, but what the gate and its gradient are computed of is not yet.

import type { Kernel, KernelSource, KernelTarget } from "../kernel";
import type { GateOptions, gateActivations } from "./gated";
import type { GatePart } from "./matmul-product";

/** What the kernels are made of; they are loaded apart from it (program/rounding.ts). */
export interface GateTools {
  gateActivations: typeof gateActivations;
  groupedRowProduct(
    sizes: Record<Sizes, number>,
    target: KernelTarget,
    layout: { direction: "forward" | "backward"; halves: boolean },
    place: { gather: boolean; rowTile: number; gate: GatePart },
  ): KernelSource | undefined;
  rowTile(target: KernelTarget): number;
}

type Sizes = "rows" | "out" | "in" | "experts";
type GateKernel<B extends string> = Kernel<B, Sizes, GateOptions>;

/** Columns of a side that lie together in a tile; a gate has a multiple of two of them. */
export const SIDE = 32;

const sizes = { rows: "u32", out: "u32", in: "u32", experts: "u32" } as const;

const packing = /* wgsl */ `
alias Wide = vec4f;
fn pack(x: mat2x4f) -> vec4u {
  return vec4u(pack2x16float(x[0].xy), pack2x16float(x[0].zw), pack2x16float(x[1].xy), pack2x16float(x[1].zw));
}
fn unpack(x: vec2u) -> vec4f { return vec4f(unpack2x16float(x.x), unpack2x16float(x.y)); }`;

/** x[p,:] = a[rowToken[p],:] W_e^T, y[p,c] = activation(x[p,c]) * x[p,hidden+c] for each padded row p of expert e; hidden = out / 2. */
export function gateForward(tools: GateTools): GateKernel<"a" | "weight" | "tileExpert" | "rowToken" | "x" | "y"> {
  return {
    name: "expertGateForward",
    buffers: {
      a: "read",
      weight: "read",
      tileExpert: "read u32",
      rowToken: "read u32",
      x: "write u32",
      y: "write u32",
    },
    sizes,
    flops,
    source: (given, target, { activation }) =>
      source(tools, given, target, "forward", {
        functions: /* wgsl */ `${packing}
fn rowOfWeight(column: u32) -> u32 {
  return column / ${2 * SIDE}u * ${SIDE}u + column % ${SIDE}u + column / ${SIDE}u % 2u * (sizes.out / 2u);
}
fn passed(g: vec4f, up: vec4f) -> vec4f {${tools.gateActivations[activation]}
  return value * up;
}
fn passGate(at: u32, gate: mat2x4f, up: mat2x4f) {
  let width = sizes.out / 16u;
  x[at] = pack(gate);
  x[at + width] = pack(up);
  y[at - at / (2u * width) * width] = pack(mat2x4f(passed(gate[0], up[0]), passed(gate[1], up[1])));
}`,
        rowOf: "rowOfWeight",
        finish: { call: "passGate", rowLength: "sizes.out", pairs: true },
      }),
  };
}

/**
 * dx of x [rows, 2 in] = [gate | up] for dy = a[p,:] W_e of each padded row p of expert e: dx[p,c] = dy[p,c] * activation'(x[p,c]) *
 * x[p,in+c], dx[p,in+c] = dy[p,c] * activation(x[p,c])
 */
export function gateBackward(tools: GateTools): GateKernel<"a" | "weight" | "tileExpert" | "x" | "dx"> {
  return {
    name: "expertGateBackward",
    buffers: { a: "read", weight: "read", tileExpert: "read u32", x: "read u32", dx: "write u32" },
    sizes,
    flops,
    source: (given, target, { activation }) =>
      source(tools, given, target, "backward", {
        functions: /* wgsl */ `${packing}
fn flowed(gate: vec2u, up: vec2u, flowing: vec4f) -> mat2x4f {
  let g = unpack(gate);${tools.gateActivations[activation]}
  return mat2x4f(flowing * slope * unpack(up), flowing * value);
}
fn flowBack(at: u32, dy: mat2x4f) {
  let width = sizes.in / 8u;
  let gate = x[at];
  let up = x[at + width];
  let low = flowed(gate.xy, up.xy, dy[0]);
  let high = flowed(gate.zw, up.zw, dy[1]);
  dx[at] = pack(mat2x4f(low[0], high[0]));
  dx[at + width] = pack(mat2x4f(low[1], high[1]));
}`,
        finish: { call: "flowBack", rowLength: "(2u * sizes.in)" },
      }),
  };
}

function flops({ rows, out, in: inner }: Record<Sizes, number>): number {
  return 2 * rows * out * inner;
}

function source(
  { groupedRowProduct, rowTile }: GateTools,
  given: Record<Sizes, number>,
  target: KernelTarget,
  direction: "forward" | "backward",
  gate: GatePart,
) {
  const place = { gather: direction === "forward", rowTile: rowTile(target), gate };
  const made = groupedRowProduct(given, target, { direction, halves: true }, place)!;
  return { ...made, vectors: { ...made.vectors, x: "vec4u", y: "vec4u", dx: "vec4u" } };
}
