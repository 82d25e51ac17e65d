// One new token against the keys and values of those before it, for decoding. The cache is [context, 2, heads, headDim],
// keys before values. On the tiled class the positions are cut into ranges, and a workgroup has a head's part of one:
//
//   scores     threads stride over the range's positions, a key each               weights in workgroup memory
//   values     threads stand side by side along the head's elements, in groups that stride over the positions
//
// Where there is one range, that is the result; of several, `mergeRanges` takes the sum. On the serial class one invocation
// has a head, with its weights in memory: private arrays take seconds to compile there.

import { type KernelSource, type KernelTarget, kernel } from "../kernel";
import { each } from "./matmul-parts";
import { rotation } from "./rope";
import { wide } from "./wide";

const WORKGROUP = 256;

/** Most positions of a range: as many weights have room in workgroup memory, and enough threads share them. */
const RANGE = 512;

/** Values that a thread reads before it adds them, so that their latencies overlap. */
const TOGETHER = 4;

/** Into how many ranges of positions attention over a cache is cut. */
export function cacheRanges(context: number, { kernelClass }: KernelTarget): number {
  return kernelClass === "tiled" ? Math.ceil(context / RANGE) : 1;
}

/**
 * Of qkv [1, 3, heads, headDim] for a token at `position`: query[h,:] = the query turned by its position, and in the cache at the
 * position the turned key and the value, as `rope` turns; nothing past the context.
 */
export const cacheStore = kernel({
  name: "cacheStore",
  buffers: { qkv: "read", position: "read u32", query: "write", cache: "update" },
  sizes: { context: "u32", heads: "u32", headDim: "u32", base: "f32" },
  source: ({ heads, headDim }) => ({
    form: "items",
    items: 3 * heads * (headDim / 2),
    wgsl: /* wgsl */ `
alias Wide = f32;
${rotation}
fn run(i: u32) {
  let half = sizes.headDim / 2u;
  let width = sizes.heads * sizes.headDim;
  let part = i / (width / 2u);
  let at = i / half * sizes.headDim + i % half;
  var pair = vec2f(qkv[at], qkv[at + half]);
  if (part < 2u) {
    let turn = rotation(position[0], f32(i % half));
    pair = vec2f(pair.x * turn.cosine - pair.y * turn.sine, pair.y * turn.cosine + pair.x * turn.sine);
  }
  if (part == 0u) {
    query[at] = pair.x;
    query[at + half] = pair.y;
  } else if (position[0] < sizes.context) {
    let row = (2u * position[0] - 1u) * width + at;
    cache[row] = pair.x;
    cache[row + half] = pair.y;
  }
}`,
  }),
});

/**
 * out[r,h,:] = sum over the t <= position[0] of range r of w_t v[t,h,:], with w_t = exp(s_t - largest) and s_t = q . k[t,h,:] /
 * sqrt(headDim); divided by the sum of w where there is one range. totals[r,h,:] = (largest, sum of w). `weights` [heads, context] is
 * for the serial class to work in.
 */
export const cachedAttention = kernel({
  name: "cachedAttention",
  buffers: {
    query: "read",
    cache: "read",
    position: "read u32",
    weights: "write",
    out: "write",
    totals: "write",
  },
  sizes: { context: "u32", heads: "u32", headDim: "u32" },
  flops: ({ context, heads, headDim }) => 4 * context * heads * headDim,
  source: (sizes, target) => (target.kernelClass === "tiled" ? tiled(sizes, target) : serial(sizes)),
});

type Sizes = Record<"context" | "heads" | "headDim", number>;

function tiled({ context, heads, headDim }: Sizes, target: KernelTarget): KernelSource {
  const { lanes, alias, vectors, dot } = wide(target, headDim, ["query", "cache", "out"]);
  const ranges = cacheRanges(context, target);
  const width = headDim / lanes;
  // Elements of the head that threads stand along, and groups of them.
  const along = Math.min(width, WORKGROUP);
  const groups = Math.floor(WORKGROUP / along);
  return {
    form: "groups",
    groups: [heads, ranges, 1],
    workgroup: WORKGROUP,
    vectors,
    wgsl: /* wgsl */ `${alias}
var<workgroup> shares: array<f32, ${Math.min(RANGE, context)}>;
var<workgroup> partial: array<f32, ${WORKGROUP}>;
var<workgroup> sums: array<Wide, ${WORKGROUP}>;
fn run(group: vec3u, lane: u32) {
  let head = group.x * ${width}u;
  let part = ${heads * width}u;
  let start = group.y * ${RANGE}u;
  let positions = min(max(start, min(position[0] + 1u, ${context}u)) - start, ${RANGE}u);
  var largest = -1e30;
  for (var t = lane; t < positions; t += ${WORKGROUP}u) {
    let key = 2u * (start + t) * part + head;
    var score = 0.0;
    for (var d = 0u; d < ${width}u; d++) { score += ${dot("query[head + d]", "cache[key + d]")}; }
    shares[t] = score / sqrt(${headDim}.0);
    largest = max(largest, shares[t]);
  }
  partial[lane] = largest;
  workgroupBarrier();
${reduce((a, b) => `max(${a}, ${b})`)}
  largest = partial[0];
  workgroupBarrier();
  var total = 0.0;
  for (var t = lane; t < positions; t += ${WORKGROUP}u) {
    let weight = exp(shares[t] - largest);
    shares[t] = weight;
    total += weight;
  }
  partial[lane] = total;
  workgroupBarrier();
${reduce((a, b) => `${a} + ${b}`)}
  total = partial[0];
  if (lane == 0u) {
    totals[2u * (group.y * ${heads}u + group.x)] = largest;
    totals[2u * (group.y * ${heads}u + group.x) + 1u] = total;
  }
  for (var first = 0u; first < ${width}u; first += ${along}u) {
    let element = first + lane % ${along}u;
    let stride = lane / ${along}u;
    var sum = Wide();
    if (element < ${width}u && stride < ${groups}u) {
      for (var t = stride; t < positions; t += ${TOGETHER * groups}u) {
${each(
  TOGETHER,
  (i) => `        let t${i} = min(t + ${i * groups}u, positions - 1u);
        let value${i} = cache[(2u * (start + t${i}) + 1u) * part + head + element];`,
)}
${each(TOGETHER, (i) => `        sum += select(0.0, shares[t${i}], t + ${i * groups}u < positions) * value${i};`)}
      }
    }
    workgroupBarrier();
    sums[lane] = sum;
    workgroupBarrier();
    if (stride == 0u && element < ${width}u) {
      for (var other = 1u; other < ${groups}u; other++) { sum += sums[other * ${along}u + lane]; }
      out[group.y * part + head + element] = sum${ranges === 1 ? " / total" : ""};
    }
  }
}`,
  };
}

/** Combine `partial` over the workgroup into its first element. */
function reduce(combine: (a: string, b: string) => string): string {
  return `  for (var half = ${WORKGROUP / 2}u; half > 0u; half /= 2u) {
    if (lane < half) { partial[lane] = ${combine("partial[lane]", "partial[lane + half]")}; }
    workgroupBarrier();
  }`;
}

function serial({ heads }: Sizes): KernelSource {
  return {
    form: "items",
    items: heads,
    wgsl: /* wgsl */ `
fn run(h: u32) {
  let end = min(position[0] + 1u, sizes.context);
  let scale = 1.0 / sqrt(f32(sizes.headDim));
  let start = h * sizes.context;
  let head = h * sizes.headDim;
  let part = sizes.heads * sizes.headDim;
  var largest = -1e30;
  for (var t = 0u; t < end; t++) {
    var score = 0.0;
    for (var d = 0u; d < sizes.headDim; d++) { score += query[head + d] * cache[2u * t * part + head + d]; }
    weights[start + t] = score * scale;
    largest = max(largest, score * scale);
  }
  var total = 0.0;
  for (var t = 0u; t < end; t++) {
    let weight = exp(weights[start + t] - largest);
    weights[start + t] = weight;
    total += weight;
  }
  totals[2u * h] = largest;
  totals[2u * h + 1u] = total;
  for (var d = 0u; d < sizes.headDim; d++) {
    var sum = 0.0;
    for (var t = 0u; t < end; t++) { sum += weights[start + t] * cache[(2u * t + 1u) * part + head + d]; }
    out[head + d] = sum / total;
  }
}`,
  };
}

/** out[h,:] = sum over r of share_r parts[r,h,:] / sum over r of share_r total_r, with share_r = exp(largest_r - the largest of all) */
export const mergeRanges = kernel({
  name: "mergeRanges",
  buffers: { parts: "read", totals: "read", out: "write" },
  sizes: { ranges: "u32", heads: "u32", headDim: "u32" },
  source: ({ heads, headDim }) => ({
    form: "items",
    items: heads * headDim,
    wgsl: /* wgsl */ `
fn run(i: u32) {
  let h = i / sizes.headDim;
  var largest = -1e30;
  for (var r = 0u; r < sizes.ranges; r++) { largest = max(largest, totals[2u * (r * sizes.heads + h)]); }
  var total = 0.0;
  var sum = 0.0;
  for (var r = 0u; r < sizes.ranges; r++) {
    let at = 2u * (r * sizes.heads + h);
    let share = exp(totals[at] - largest);
    total += share * totals[at + 1u];
    sum += share * parts[r * sizes.heads * sizes.headDim + i];
  }
  out[i] = sum / total;
}`,
  }),
});
