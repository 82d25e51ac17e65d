// Rotary position embedding (Su et al. 2021, https://arxiv.org/abs/2104.09864) of the query and key parts of a fused
// [tokens, 3, heads, headDim], in the half-split convention: element i turns together with element i + headDim / 2.
// One invocation a pair, or four neighbouring ones; the value part is copied.

import { kernel } from "../kernel";
import { type Wide, wide } from "./wide";

/**
 * WGSL for the rotation of elements of a head at a position, in terms of `Wide`. Sine and cosine are only
 * promised to be accurate between -pi and pi, so whole turns are taken off first; 2 pi is split into two constants, the first
 * short enough for exact products.
 */
export const rotation = (base = "sizes.base", headDim = "sizes.headDim"): string => /* wgsl */ `
struct Rotation { cosine: Wide, sine: Wide }
fn rotation(position: u32, element: Wide) -> Rotation {
  let angle = f32(position) * exp2(-log2(${base}) / f32(${headDim}) * 2.0 * element);
  let turns = round(angle * 0.15915494);
  let rest = (angle - turns * 6.28125) - turns * 0.0019353072;
  return Rotation(cos(rest), sin(rest));
}`;

const rotate = ({ lanes, alias }: Wide) => /* wgsl */ `${alias}
${rotation()}
fn rotate(i: u32, position: u32, sign: f32) {
  let half = sizes.headDim / ${2 * lanes}u;
  let pair = i % half;
  let part = (i / (half * sizes.heads)) % 3u;
  let at = (i / half) * half * 2u + pair;
  let a = x[at];
  let b = x[at + half];
  if (part == 2u) {
    write_y(at, a);
    write_y(at + half, b);
    return;
  }
  let turn = rotation(position, ${lanes === 4 ? "f32(pair * 4u) + vec4f(0.0, 1.0, 2.0, 3.0)" : "f32(pair)"});
  let sine = sign * turn.sine;
  write_y(at, a * turn.cosine - b * sine);
  write_y(at + half, b * turn.cosine + a * sine);
}`;

/**
 * y[t,part,h,(i, i+half)] = x turned by the angle direction * (t mod context) * base^(-2i / headDim), for queries and keys; direction
 * is 1, or -1 to turn gradients back; `headDim` is even.
 */
export const rope = kernel({
  name: "rope",
  buffers: { x: "read", y: "write" },
  sizes: {
    tokens: "u32",
    context: "u32",
    heads: "u32",
    headDim: "u32",
    base: "f32",
    direction: "f32",
  },
  perCall: ["direction"],
  flops: ({ tokens, heads, headDim }) => 6 * tokens * heads * headDim,
  source: ({ tokens, heads, headDim }, target) => {
    const pairs = wide(target, headDim / 2, ["x", "y"]);
    return {
      form: "items",
      items: (tokens * 3 * heads * headDim) / (2 * pairs.lanes),
      vectors: pairs.vectors,
      results: ["y"],
      wgsl: /* wgsl */ `${rotate(pairs)}
fn run(i: u32) {
  let token = i / (3u * sizes.heads * (sizes.headDim / ${2 * pairs.lanes}u));
  rotate(i, token % sizes.context, direction());
}`,
    };
  },
});
