// Each row walks its columns three times: maximum, sum of exponentials, result.

import { kernel } from "../kernel";

/** y[r,:] = exp(x[r,:] - max) / sum */
export const softmaxForward = kernel({
  name: "softmaxForward",
  buffers: { x: "read", y: "write" },
  sizes: { rows: "u32", cols: "u32" },
  source: ({ rows }) => ({
    form: "rows",
    rows,
    wgsl: /* wgsl */ `
fn run(row: u32) {
  let start = row * sizes.cols;
  var largest = -3.4e38;
  for (var c = first(); c < sizes.cols; c += step()) { largest = max(largest, x[start + c]); }
  largest = rowMax(largest);
  var total = 0.0;
  for (var c = first(); c < sizes.cols; c += step()) { total += exp(x[start + c] - largest); }
  total = rowSum(total);
  for (var c = first(); c < sizes.cols; c += step()) { y[start + c] = exp(x[start + c] - largest) / total; }
}`,
  }),
});

/** dx[r,:] = y * (dy - dot(y, dy)) */
export const softmaxBackward = kernel({
  name: "softmaxBackward",
  buffers: { y: "read", dy: "read", dx: "write" },
  sizes: { rows: "u32", cols: "u32" },
  source: ({ rows }) => ({
    form: "rows",
    rows,
    wgsl: /* wgsl */ `
fn run(row: u32) {
  let start = row * sizes.cols;
  var product = 0.0;
  for (var c = first(); c < sizes.cols; c += step()) { product += y[start + c] * dy[start + c]; }
  product = rowSum(product);
  for (var c = first(); c < sizes.cols; c += step()) { dx[start + c] = y[start + c] * (dy[start + c] - product); }
}`,
  }),
});

/** y[r] = max + log(sum(exp(x[r,:] - max))) */
export const logSumExpForward = kernel({
  name: "logSumExpForward",
  buffers: { x: "read", y: "write" },
  sizes: { rows: "u32", cols: "u32" },
  source: ({ rows }) => ({
    form: "rows",
    rows,
    wgsl: /* wgsl */ `
fn run(row: u32) {
  let start = row * sizes.cols;
  var largest = -3.4e38;
  for (var c = first(); c < sizes.cols; c += step()) { largest = max(largest, x[start + c]); }
  largest = rowMax(largest);
  var total = 0.0;
  for (var c = first(); c < sizes.cols; c += step()) { total += exp(x[start + c] - largest); }
  total = rowSum(total);
  if (isFirst()) { y[row] = largest + log(total); }
}`,
  }),
});
