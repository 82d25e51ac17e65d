// The choice of experts with what is counted of it, which would take two more dispatches: a workgroup has a chunk of up to 256
// tokens and an invocation each of them. What the tokens of a workgroup chose are bits, `marks[8 e + w]` those of tokens
// 32 w ... 32 w + 31 for expert e, so that counting means counting bits, and the order of writing them does not matter.
// Probabilities are summed by all lanes together, side by side along the experts.

import type { Kernel } from "../kernel";
import { COUNT_CHUNK } from "./count-chunk";

const WORKGROUP = 256;
/** Experts whose bits take 4 kB. */
const MOST_EXPERTS = 128;

/** How many experts a token goes to, among what else chooses the text of the choice. */
export interface CountedOptions {
  /** K. */
  topK: number;
}

/** The sizes of a kernel that chooses, counts and sums; `groups` chunks of tokens. */
export interface CountedSizes extends Record<string, number> {
  tokens: number;
  experts: number;
  groups: number;
}

const tokensOf = ({ tokens, groups }: CountedSizes) => Math.ceil(tokens / groups);

/** Whether chunks of tokens are of whole chunks that assignments are counted in, and small enough. */
export function canCount(sizes: CountedSizes, { topK }: CountedOptions): boolean {
  const each = tokensOf(sizes);
  const whole = sizes.groups === 1 || (each * topK) % COUNT_CHUNK === 0;
  return each <= WORKGROUP && whole && COUNT_CHUNK % topK === 0 && sizes.experts <= MOST_EXPERTS;
}

/** What `topKSoftmaxForward`, which is `choice`, and after it `expertCount` and `probabilitySums` compute. */
export function countedTopK(choice: Kernel): Kernel<string, string, CountedOptions> {
  return {
    name: "countedTopK",
    buffers: { ...choice.buffers, counts: "write u32", rank: "write u32", partial: "write" },
    sizes: { ...choice.sizes, groups: "u32" },
    source(sizes, target, options) {
      const { wgsl } = choice.source(sizes, target, options as never);
      const text = wgsl.replace("fn run(", "fn choose(") + counting(sizes as CountedSizes, options.topK);
      return { form: "groups", groups: [sizes.groups!, 1, 1], workgroup: WORKGROUP, wgsl: text };
    },
  };
}

function counting(sizes: CountedSizes, topK: number): string {
  const { experts } = sizes;
  const each = tokensOf(sizes);
  const perChunk = COUNT_CHUNK / topK;
  let across = 1;
  while (across < experts && across < 32) across *= 2;
  return /* wgsl */ `
var<workgroup> marks: array<atomic<u32>, ${8 * experts}>;
var<workgroup> sums: array<vec2f, ${WORKGROUP}>;

// How many of tokens begin ... end - 1 of the workgroup chose expert e.
fn chosenBy(e: u32, begin: u32, end: u32) -> u32 {
  var count = 0u;
  for (var word = begin / 32u; 32u * word < end; word++) {
    let low = max(begin, 32u * word) - 32u * word;
    count += countOneBits(extractBits(atomicLoad(&marks[8u * e + word]), low, min(end - 32u * word, 32u) - low));
  }
  return count;
}

fn run(group: vec3u, lane: u32) {
  let start = min(group.x * ${each}u, sizes.tokens);
  let tokens = min(${each}u, sizes.tokens - start);
  let at = (start + lane) * ${topK}u;
  if (lane < tokens) {
    choose(start + lane);
    for (var j = 0u; j < ${topK}u; j++) {
      let e = expert[at + j];
      if (e < sizes.experts) { atomicOr(&marks[8u * e + lane / 32u], 1u << (lane % 32u)); }
    }
  }
  storageBarrier();
  workgroupBarrier();
  if (lane < tokens) {
    for (var j = 0u; j < ${topK}u; j++) {
      let e = expert[at + j];
      if (e < sizes.experts) { rank[at + j] = chosenBy(e, lane - lane % ${perChunk}u, lane); }
    }
  }
  let chunks = (tokens + ${perChunk - 1}u) / ${perChunk}u;
  for (var i = lane; i < chunks * sizes.experts; i += ${WORKGROUP}u) {
    let first = i / sizes.experts * ${perChunk}u;
    counts[start / ${perChunk}u * sizes.experts + i] = chosenBy(i % sizes.experts, first, first + ${perChunk}u);
  }
  let down = lane / ${across}u;
  for (var base = 0u; base < sizes.experts; base += ${across}u) {
    let e = base + lane % ${across}u;
    var total = vec2f();
    if (e < sizes.experts) {
      for (var r = down; r < tokens; r += ${WORKGROUP / across}u) {
        let p = probabilities[(start + r) * sizes.experts + e];
        total += vec2f(p, -p * log(p + 1e-30));
      }
    }
    sums[lane] = total;
    for (var half = ${WORKGROUP / across / 2}u; half > 0u; half /= 2u) {
      workgroupBarrier();
      if (down < half) { sums[lane] += sums[lane + half * ${across}u]; }
    }
    if (down == 0u && e < sizes.experts) {
      partial[2u * group.x * sizes.experts + e] = sums[lane].x;
      partial[(2u * group.x + 1u) * sizes.experts + e] = sums[lane].y;
    }
    workgroupBarrier();
  }
}`;
}
