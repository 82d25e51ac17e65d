import { kernel } from "../kernel";

/** y[t,:] = weight[tokens[t],:] */
export const embeddingForward = kernel({
  name: "embeddingForward",
  buffers: { weight: "read", tokens: "read u32", y: "write" },
  sizes: { tokens: "u32", cols: "u32" },
  source: ({ tokens, cols }) => ({
    form: "items",
    items: tokens * cols,
    wgsl: "fn run(i: u32) { y[i] = weight[tokens[i / sizes.cols] * sizes.cols + i % sizes.cols]; }",
  }),
});

// One row a vocabulary entry. Its walkers first ask together whether a block of tokens holds the entry at all; only then
// the block is walked in order, each walker adding its own columns. So the order of the sum is that of the tokens.

/** dweight[v,:] = sum over t with tokens[t] = v of dy[t,:], in the order of t */
export const embeddingGradient = kernel({
  name: "embeddingGradient",
  buffers: { tokens: "read u32", dy: "read", dweight: "write" },
  sizes: { vocab: "u32", tokens: "u32", cols: "u32" },
  flops: ({ tokens, cols }) => tokens * cols,
  source: ({ vocab }) => ({
    form: "rows",
    rows: vocab,
    wgsl: /* wgsl */ `
fn run(row: u32) {
  let start = row * sizes.cols;
  for (var c = first(); c < sizes.cols; c += step()) { dweight[start + c] = 0.0; }
  let block = step() * 8u;
  for (var begin = 0u; begin < sizes.tokens; begin += block) {
    let end = min(begin + block, sizes.tokens);
    var found = 0.0;
    for (var t = begin + first(); t < end; t += step()) { if (tokens[t] == row) { found = 1.0; } }
    if (rowMax(found) > 0.0) {
      for (var t = begin; t < end; t++) {
        if (tokens[t] == row) {
          for (var c = first(); c < sizes.cols; c += step()) { dweight[start + c] += dy[t * sizes.cols + c]; }
        }
      }
    }
  }
}`,
  }),
});
