// Both gradients of an RMS norm in one pass over x and dy. A workgroup takes a chunk of rows, eight at a time: 32 lanes walk
// a row together, four columns each, and every lane keeps the sums of the weight's gradient for its columns:
//
//   lanes  0 .. 31   row 0, 8, 16, … of the chunk     column vectors  lane, lane + 32, …
//   lanes 32 .. 63   row 1, 9, 17, …
//   …                                                  partial[chunk,:] = the eight rows' sums, added at the end

import { type KernelSource, type KernelTarget, kernel } from "../kernel";

const LANES = 32;
const DOWN = 8;
/** Chunks that fill a large device with workgroups of 256 lanes. */
const MOST_CHUNKS = 256;

/** Into how many chunks rows are cut, or undefined where the gradients take kernels of their own: `cols` have to be 128, 256, … 1024. */
export function rmsNormChunks(
  { rows, cols }: { rows: number; cols: number },
  target: KernelTarget,
): number | undefined {
  if (target.kernelClass !== "tiled" || cols % (4 * LANES) !== 0 || cols > 1024) return undefined;
  return Math.min(MOST_CHUNKS, Math.ceil(rows / DOWN));
}

/**
 * With n = x * inverse and dn = dy * weight: dx[r,:] = inverse * (dn - n * mean(dn * n)), and partial[chunk,:] = sum of n * dy
 * over the rows of the chunk.
 */
export const rmsNormGradients = kernel({
  name: "rmsNormGradients",
  buffers: { x: "read", weight: "read", inverse: "read", dy: "read", dx: "write", partial: "write" },
  sizes: { rows: "u32", cols: "u32", chunks: "u32" },
  flops: ({ rows, cols }) => 10 * rows * cols,
  source: (sizes, target) => source(sizes, target, false),
});

/** As `rmsNormGradients`, plus what reaches x by another way: dx = dskip + ... */
export const addRmsNormGradients = kernel({
  name: "addRmsNormGradients",
  buffers: { x: "read", weight: "read", inverse: "read", dy: "read", dskip: "read", dx: "write", partial: "write" },
  sizes: { rows: "u32", cols: "u32", chunks: "u32" },
  flops: ({ rows, cols }) => 11 * rows * cols,
  source: (sizes, target) => source(sizes, target, true),
});

function source(
  { rows, cols, chunks }: { rows: number; cols: number; chunks: number },
  { matrixUnits }: KernelTarget,
  skips: boolean,
): KernelSource {
  const width = cols / 4;
  const length = Math.ceil(rows / chunks);
  const each = (line: (i: number) => string) => Array.from({ length: width / LANES }, (_, i) => line(i)).join("\n");
  return {
    form: "groups",
    groups: [chunks, 1, 1],
    workgroup: LANES * DOWN,
    // Matrix units come with subgroups of 32 lanes, which need no barrier to sum a row.
    matrixUnits,
    vectors: Object.fromEntries(
      ["x", "weight", "dy", "dx", "partial", ...(skips ? ["dskip"] : [])].map((name) => [name, "vec4f"]),
    ),
    results: ["dx"],
    wgsl: /* wgsl */ `
var<workgroup> sums: array<vec4f, ${LANES * DOWN}>;
${matrixUnits ? SUM_OF_SUBGROUP : SUM_OF_LANES}
fn run(group: vec3u, lane: u32${matrixUnits ? ", subgroup: u32, column: u32" : ""}) {
  ${matrixUnits ? "let down = subgroup;" : `let down = lane / ${LANES}u;\n  let column = lane % ${LANES}u;`}
  let place = down * ${LANES}u + column;
  let end = min(group.x * ${length}u + ${length}u, ${rows}u);
${each((i) => `  let weight${i} = weight[column + ${i * LANES}u];\n  var total${i} = vec4f();`)}
  for (var first = group.x * ${length}u; first < end; first += ${DOWN}u) {
    let row = min(first + down, end - 1u);
    let start = row * ${width}u + column;
    let scale = inverse[row];
${each((i) => `    let x${i} = x[start + ${i * LANES}u];\n    let dy${i} = dy[start + ${i * LANES}u];`)}
    var pull = 0.0;
${each((i) => `    pull += dot(dy${i} * weight${i}, x${i});`)}
    pull = rowTotal(pull, lane) * scale * scale / ${cols}.0;
    if (first + down < end) {
${each((i) => `      write_dx(start + ${i * LANES}u, ${skips ? `dskip[start + ${i * LANES}u] + ` : ""}scale * (dy${i} * weight${i} - x${i} * pull));\n      total${i} += x${i} * scale * dy${i};`)}
    }
  }
${each(
  (i) => `  workgroupBarrier();
  sums[place] = total${i};
  workgroupBarrier();
  if (down == 0u) {
    for (var other = 1u; other < ${DOWN}u; other++) { total${i} += sums[place + other * ${LANES}u]; }
    partial[group.x * ${width}u + column + ${i * LANES}u] = total${i};
  }`,
)}
}`,
  };
}

const SUM_OF_SUBGROUP = "fn rowTotal(own: f32, lane: u32) -> f32 { return subgroupAdd(own); }";

const SUM_OF_LANES = /* wgsl */ `
var<workgroup> rowSums: array<f32, ${LANES * DOWN}>;
fn rowTotal(own: f32, lane: u32) -> f32 {
  workgroupBarrier();
  rowSums[lane] = own;
  workgroupBarrier();
  var total = 0.0;
  for (var other = lane - lane % ${LANES}u; other < lane - lane % ${LANES}u + ${LANES}u; other++) { total += rowSums[other]; }
  return total;
}`;
