// Attention over the key-value cache by workgroups: each has a head's part of a range of positions, as many as have room for their
// weights in workgroup memory and as enough threads share.
//
//   scores     threads stride over the range's positions, a key each               weights in workgroup memory
//   values     threads stand side by side along the head's elements, in groups that stride over the positions

import type { KernelSource, KernelTarget } from "../kernel";
import { each } from "./matmul-parts";
import type { wide } from "./wide";

const WORKGROUP = 256;

/** Values that a thread reads before it adds them, so that their latencies overlap. */
const TOGETHER = 4;

type Sizes = Record<"context" | "heads" | "headDim", number>;

/** The body of `cachedAttention`, of so many ranges of at most so many positions. */
export function cachedAttention(
  { context, heads, headDim }: Sizes,
  target: KernelTarget,
  { ranges, range, inVectors }: { ranges: number; range: number; inVectors: typeof wide },
): KernelSource {
  const { lanes, alias, vectors, dot } = inVectors(target, headDim, ["query", "cache", "out"]);
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
var<workgroup> shares: array<f32, ${Math.min(range, context)}>;
var<workgroup> partial: array<f32, ${WORKGROUP}>;
var<workgroup> sums: array<Wide, ${WORKGROUP}>;
fn run(group: vec3u, lane: u32) {
  let head = group.x * ${width}u;
  let part = ${heads * width}u;
  let start = group.y * ${range}u;
  let positions = min(max(start, min(position[0] + 1u, ${context}u)) - start, ${range}u);
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
