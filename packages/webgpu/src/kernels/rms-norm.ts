// Root-mean-square normalisation of rows. The weight's gradient is a sum over rows: a first stage sums chunks of rows
// side by side, `columnSum` with one chunk adds them up.

import { kernel } from "../kernel";
import { columnSums } from "./column-sums";

/** inverse[r] = 1 / sqrt(mean(x[r,:]^2) + eps), y[r,c] = x[r,c] * inverse[r] * weight[c] */
export const rmsNormForward = kernel({
  name: "rmsNormForward",
  buffers: { x: "read", weight: "read", y: "write", inverse: "write" },
  sizes: { rows: "u32", cols: "u32", eps: "f32" },
  flops: ({ rows, cols }) => 4 * rows * cols,
  source: ({ rows }) => ({
    form: "rows",
    rows,
    wgsl: /* wgsl */ `
fn run(row: u32) {
  let start = row * sizes.cols;
  var squares = 0.0;
  for (var c = first(); c < sizes.cols; c += step()) { squares += x[start + c] * x[start + c]; }
  squares = rowSum(squares);
  let scale = 1.0 / sqrt(squares / f32(sizes.cols) + sizes.eps);
  for (var c = first(); c < sizes.cols; c += step()) { y[start + c] = x[start + c] * scale * weight[c]; }
  if (isFirst()) { inverse[row] = scale; }
}`,
  }),
});

/** dx[r,:] = inverse * (dn - n * mean(dn * n)) with n = x * inverse, dn = dy * weight */
export const rmsNormBackward = kernel({
  name: "rmsNormBackward",
  buffers: {
    x: "read",
    weight: "read",
    inverse: "read",
    dy: "read",
    dx: "write",
  },
  sizes: { rows: "u32", cols: "u32" },
  flops: ({ rows, cols }) => 8 * rows * cols,
  source: ({ rows }) => ({
    form: "rows",
    rows,
    wgsl: /* wgsl */ `
fn run(row: u32) {
  let start = row * sizes.cols;
  let scale = inverse[row];
  var product = 0.0;
  for (var c = first(); c < sizes.cols; c += step()) { product += dy[start + c] * weight[c] * x[start + c]; }
  product = rowSum(product);
  let pull = product * scale * scale / f32(sizes.cols);
  for (var c = first(); c < sizes.cols; c += step()) {
    dx[start + c] = scale * (dy[start + c] * weight[c] - x[start + c] * pull);
  }
}`,
  }),
});

/** partial[chunk,c] = sum over the rows r of the chunk of x[r,c] * inverse[r] * dy[r,c] */
export const rmsNormWeightGradient = kernel({
  name: "rmsNormWeightGradient",
  buffers: { x: "read", inverse: "read", dy: "read", partial: "write" },
  sizes: { rows: "u32", cols: "u32", chunks: "u32" },
  flops: ({ rows, cols }) => 3 * rows * cols,
  source: (sizes, target) =>
    columnSums({ ...sizes, term: "x[at] * inverse[r] * dy[at]", buffers: ["x", "dy"], result: "partial" }, target),
});
