import { type KernelSource, type KernelTarget, kernel } from "../kernel";
import { serialKernels } from "./kernels-of-target";
import { wide } from "./wide";

/** y[t,:] = weight[tokens[t],:] */
export const embeddingForward = kernel({
  name: "embeddingForward",
  buffers: { weight: "read", tokens: "read u32", y: "write" },
  sizes: { tokens: "u32", cols: "u32" },
  source: ({ tokens, cols }, target) => {
    const { lanes, vectors } = wide(target, cols, ["weight", "y"]);
    return {
      form: "items",
      items: (tokens * cols) / lanes,
      vectors,
      wgsl: /* wgsl */ `
fn run(i: u32) {
  let width = sizes.cols / ${lanes}u;
  y[i] = weight[tokens[i / width] * width + i % width];
}`,
    };
  },
});

/** dweight[v,:] = sum over t with tokens[t] = v of dy[t,:], in an order that depends on the sizes alone */
export const embeddingGradient = kernel({
  name: "embeddingGradient",
  buffers: { tokens: "read u32", dy: "read", dweight: "write" },
  sizes: { vocab: "u32", tokens: "u32", cols: "u32" },
  flops: ({ tokens, cols }) => tokens * cols,
  source: (sizes, target) =>
    target.kernelClass === "tiled"
      ? gradientTogether(sizes, target, false)
      : serialKernels().embedding.embeddingGradient(sizes),
});

/** As `embeddingGradient`, for a dweight of zeros: entries that no token has are not touched. */
export const embeddingGradientOfTokens = kernel({
  name: "embeddingGradientOfTokens",
  buffers: { tokens: "read u32", dy: "read", dweight: "update" },
  sizes: { vocab: "u32", tokens: "u32", cols: "u32" },
  flops: ({ tokens, cols }) => tokens * cols,
  source: (sizes, target) =>
    target.kernelClass === "tiled"
      ? gradientTogether(sizes, target, true)
      : serialKernels().embedding.embeddingGradient(sizes),
});

/** Entries of a vocabulary so small that many tokens share one: their tokens are spread over more lanes. */
const SMALL_VOCABULARY = 4096;

// A workgroup has one entry and a strip of columns. For a block of tokens at a time it marks in a bit each which ones are
// its entry; then lanes side by side add up the columns of marked tokens, others below them those of other marks. With
// `byToken` there is a workgroup for every token, whose entry is that token's; all but the first of an entry leave.
function gradientTogether(
  { vocab, tokens, cols }: { vocab: number; tokens: number; cols: number },
  target: KernelTarget,
  byToken: boolean,
): KernelSource {
  const { lanes, alias, vectors } = wide(target, cols, ["dy", "dweight"]);
  const columns = cols / lanes;
  const workgroup = 256;
  let across = 1;
  while (across < columns && across < (vocab < SMALL_VOCABULARY ? 16 : workgroup)) across *= 2;
  const down = workgroup / across;
  const [block, words] = [1024, 32];
  return {
    form: "groups",
    groups: [byToken ? tokens : vocab, Math.ceil(columns / across), 1],
    workgroup,
    vectors,
    wgsl: /* wgsl */ `${alias}
var<workgroup> marks: array<atomic<u32>, ${words}>;
var<workgroup> sums: array<Wide, ${workgroup}>;
${byToken ? "var<workgroup> earlier: atomic<u32>;" : ""}
fn run(group: vec3u, lane: u32) {
${
  byToken
    ? `  let entry = tokens[group.x];
  for (var t = lane; t < group.x; t += ${workgroup}u) { if (tokens[t] == entry) { atomicStore(&earlier, 1u); } }
  if (workgroupUniformLoad(&earlier) == 1u) { return; }
  let start = group.x / ${block}u * ${block}u;`
    : "  let entry = group.x;\n  let start = 0u;"
}
  let column = group.y * ${across}u + lane % ${across}u;
  let first = lane / ${across}u;
  var total = Wide();
  for (var begin = start; begin < ${tokens}u; begin += ${block}u) {
    if (lane < ${words}u) { atomicStore(&marks[lane], 0u); }
    workgroupBarrier();
    for (var i = lane; i < ${block}u; i += ${workgroup}u) {
      if (begin + i < ${tokens}u && tokens[begin + i] == entry) { atomicOr(&marks[i / 32u], 1u << (i % 32u)); }
    }
    workgroupBarrier();
    for (var word = first; word < ${words}u; word += ${down}u) {
      var rest = atomicLoad(&marks[word]);
      for (var i = 0u; i < 32u; i++) {
        if (rest == 0u) { break; }
        let t = begin + word * 32u + firstTrailingBit(rest);
        rest &= rest - 1u;
        if (column < ${columns}u) { total += dy[t * ${columns}u + column]; }
      }
    }
    workgroupBarrier();
  }
  sums[lane] = total;
  for (var half = ${down >> 1}u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (first < half) { sums[lane] += sums[lane + half * ${across}u]; }
  }
  if (first == 0u && column < ${columns}u) { dweight[entry * ${columns}u + column] = sums[lane]; }
}`,
  };
}
