// Each row of logits against the index of its right class. A target of 0xffffffff is ignored: no loss, no gradient.

import { kernel } from "../kernel";

/** lse[r] = log(sum(exp(logits[r,:]))), loss[r] = lse[r] - logits[r, targets[r]], or 0 where the target is ignored */
export const crossEntropyForward = kernel({
  name: "crossEntropyForward",
  buffers: { logits: "read", targets: "read u32", loss: "write", lse: "write" },
  sizes: { rows: "u32", cols: "u32" },
  flops: ({ rows, cols }) => 4 * rows * cols,
  source: ({ rows }) => ({
    form: "rows",
    rows,
    wgsl: /* wgsl */ `
fn run(row: u32) {
  let start = row * sizes.cols;
  var largest = -3.4e38;
  for (var c = first(); c < sizes.cols; c += step()) { largest = max(largest, logits[start + c]); }
  largest = rowMax(largest);
  var total = 0.0;
  for (var c = first(); c < sizes.cols; c += step()) { total += exp(logits[start + c] - largest); }
  total = rowSum(total);
  if (isFirst()) {
    let normaliser = largest + log(total);
    let right = targets[row];
    lse[row] = normaliser;
    loss[row] = 0.0;
    if (right != 0xffffffffu) { loss[row] = normaliser - logits[start + right]; }
  }
}`,
  }),
});

/** dlogits[r,c] = (exp(logits[r,c] - lse[r]) - [c = targets[r]]) * dloss[r], or 0 where the target is ignored */
export const crossEntropyBackward = kernel({
  name: "crossEntropyBackward",
  buffers: {
    logits: "read",
    targets: "read u32",
    lse: "read",
    dloss: "read",
    dlogits: "write",
  },
  sizes: { rows: "u32", cols: "u32" },
  flops: ({ rows, cols }) => 4 * rows * cols,
  source: ({ rows }) => ({
    form: "rows",
    rows,
    wgsl: /* wgsl */ `
fn run(row: u32) {
  let start = row * sizes.cols;
  let right = targets[row];
  let scale = select(dloss[row], 0.0, right == 0xffffffffu);
  let normaliser = lse[row];
  for (var c = first(); c < sizes.cols; c += step()) {
    dlogits[start + c] = (exp(logits[start + c] - normaliser) - select(0.0, 1.0, c == right)) * scale;
  }
}`,
  }),
});
