// The part of the attention's gradient that is one number a query and head, in a pass of its own. It reads all of dout: where
// the kernels after it take that rounded to f16, it writes it so on the way.

import { type Binding, type KernelSource, type KernelTarget, kernel } from "../kernel";
import type { AttentionSizes } from "./attention-shape";

const sizes = { batch: "u32", context: "u32", heads: "u32", headDim: "u32" } as const;

/** delta [batch, heads, context] = out . dout over headDim */
export const attentionDelta = deltaKernel("attentionDelta", {}, "");

/** As `attentionDelta`, and halves = dout as `packHalves` packs it; `headDim` is a multiple of 4. */
export const attentionDeltaHalves = deltaKernel(
  "attentionDeltaHalves",
  { halves: "write u32" },
  "halves[at] = vec2u(pack2x16float(slope.xy), pack2x16float(slope.zw));",
);

function deltaKernel<const Extra extends Record<string, Binding>>(name: string, extra: Extra, besides: string) {
  type Names = "out" | "dout" | "delta" | (keyof Extra & string);
  const buffers = { out: "read", dout: "read", delta: "write", ...extra };
  return kernel<Names, keyof typeof sizes, undefined>({
    name,
    buffers: buffers as unknown as Record<Names, Binding>,
    sizes,
    flops: ({ batch, context, heads, headDim }) => 2 * batch * context * heads * headDim,
    source: (shape, { kernelClass }: KernelTarget) =>
      kernelClass === "tiled" && shape.headDim % 4 === 0 ? byGroups(shape, besides) : byRows(shape),
  });
}

/** Where the number of a token and head goes. */
const place = "(token / sizes.context * sizes.heads + head) * sizes.context + token % sizes.context";

/** An invocation sums a row. */
function byRows({ batch, context, heads }: AttentionSizes): KernelSource {
  return {
    form: "items",
    items: batch * context * heads,
    wgsl: /* wgsl */ `
fn run(i: u32) {
  // Neighbouring invocations have neighbouring heads of a token, as they lie in memory.
  let token = i / sizes.heads;
  let head = i % sizes.heads;
  var product = 0.0;
  for (var d = 0u; d < sizes.headDim; d++) { product += out[i * sizes.headDim + d] * dout[i * sizes.headDim + d]; }
  delta[${place}] = product;
}`,
  };
}

/** Invocations that share a row, and rows of a workgroup. */
const LANES = 8;
const ROWS = 32;

/** Eight invocations share a row, so that neighbours read neighbouring vectors. */
function byGroups({ batch, context, heads, headDim }: AttentionSizes, besides: string): KernelSource {
  const rows = batch * context * heads;
  const width = headDim / 4;
  return {
    form: "groups",
    groups: [Math.ceil(rows / ROWS), 1, 1],
    workgroup: LANES * ROWS,
    vectors: { out: "vec4f", dout: "vec4f", halves: "vec2u" },
    wgsl: /* wgsl */ `
var<workgroup> parts: array<f32, ${LANES * ROWS}>;
fn run(group: vec3u, lane: u32) {
  let row = group.x * ${ROWS}u + lane / ${LANES}u;
  var part = 0.0;
  if (row < ${rows}u) {
    for (var v = lane % ${LANES}u; v < ${width}u; v += ${LANES}u) {
      let at = row * ${width}u + v;
      let slope = dout[at];
      part += dot(out[at], slope);
      ${besides}
    }
  }
  parts[lane] = part;
  workgroupBarrier();
  let i = group.x * ${ROWS}u + lane;
  if (lane < ${ROWS}u && i < ${rows}u) {
    var product = 0.0;
    for (var l = 0u; l < ${LANES}u; l++) { product += parts[lane % ${ROWS}u * ${LANES}u + l]; }
    let token = i / sizes.heads;
    let head = i % sizes.heads;
    delta[${place}] = product;
  }
}`,
  };
}
