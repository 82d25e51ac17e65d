// Root-mean-square normalisation of rows. The weight's gradient is a sum over rows: a first stage sums chunks of rows
// side by side, `columnSum` with one chunk adds them up.

import { type KernelSource, type KernelTarget, kernel } from "../kernel";
import { columnSums } from "./column-sums";
import { wide } from "./wide";

/** inverse[r] = 1 / sqrt(mean(x[r,:]^2) + eps), y[r,c] = x[r,c] * inverse[r] * weight[c] */
export const rmsNormForward = kernel({
  name: "rmsNormForward",
  buffers: { x: "read", weight: "read", y: "write", inverse: "write" },
  sizes: { rows: "u32", cols: "u32", eps: "f32" },
  flops: ({ rows, cols }) => 4 * rows * cols,
  source: ({ rows, cols }, target) => {
    const { lanes, vectors, dot } = wide(target, cols, ["x", "weight", "y"]);
    return {
      form: "rows",
      rows,
      vectors,
      results: ["y"],
      wgsl: /* wgsl */ `
fn run(row: u32) {
  let width = sizes.cols / ${lanes}u;
  let start = row * width;
  var squares = 0.0;
  for (var c = first(); c < width; c += step()) { squares += ${dot("x[start + c]", "x[start + c]")}; }
  squares = rowSum(squares);
  let scale = 1.0 / sqrt(squares / f32(sizes.cols) + sizes.eps);
  for (var c = first(); c < width; c += step()) { write_y(start + c, x[start + c] * scale * weight[c]); }
  if (isFirst()) { inverse[row] = scale; }
}`,
    };
  },
});

/** sum = x + branch, and `rmsNormForward` of the sum */
export const addRmsNormForward = kernel({
  name: "addRmsNormForward",
  buffers: { x: "read", branch: "read", weight: "read", sum: "write", y: "write", inverse: "write" },
  sizes: { rows: "u32", cols: "u32", eps: "f32" },
  flops: ({ rows, cols }) => 5 * rows * cols,
  source: ({ rows, cols }, target) => {
    const { lanes, vectors, dot } = wide(target, cols, ["x", "branch", "weight", "sum", "y"]);
    return {
      form: "rows",
      rows,
      vectors,
      results: ["y"],
      operands: ["branch"],
      wgsl: /* wgsl */ `
fn run(row: u32) {
  let width = sizes.cols / ${lanes}u;
  let start = row * width;
  var squares = 0.0;
  for (var c = first(); c < width; c += step()) {
    let value = x[start + c] + read_branch(start + c);
    sum[start + c] = value;
    squares += ${dot("value", "value")};
  }
  squares = rowSum(squares);
  let scale = 1.0 / sqrt(squares / f32(sizes.cols) + sizes.eps);
  // Each walker reads what it wrote itself.
  for (var c = first(); c < width; c += step()) { write_y(start + c, sum[start + c] * scale * weight[c]); }
  if (isFirst()) { inverse[row] = scale; }
}`,
    };
  },
});

/** dx[r,:] = inverse * (dn - n * mean(dn * n)) with n = x * inverse, dn = dy * weight */
export const rmsNormBackward = kernel({
  name: "rmsNormBackward",
  buffers: { x: "read", weight: "read", inverse: "read", dy: "read", dx: "write" },
  sizes: { rows: "u32", cols: "u32" },
  flops: ({ rows, cols }) => 8 * rows * cols,
  source: (sizes, target) => backward(sizes, target, ""),
});

/** As `rmsNormBackward`, plus what reaches x by another way: dx = dskip + ... */
export const addRmsNormBackward = kernel({
  name: "addRmsNormBackward",
  buffers: { x: "read", weight: "read", inverse: "read", dy: "read", dskip: "read", dx: "write" },
  sizes: { rows: "u32", cols: "u32" },
  flops: ({ rows, cols }) => 9 * rows * cols,
  source: (sizes, target) => backward(sizes, target, "dskip[start + c] + "),
});

function backward({ rows, cols }: { rows: number; cols: number }, target: KernelTarget, skip: string): KernelSource {
  const { lanes, vectors, dot } = wide(target, cols, ["x", "weight", "dy", "dx", ...(skip ? ["dskip"] : [])]);
  return {
    form: "rows",
    rows,
    vectors,
    results: ["dx"],
    wgsl: /* wgsl */ `
fn run(row: u32) {
  let width = sizes.cols / ${lanes}u;
  let start = row * width;
  let scale = inverse[row];
  var pull = 0.0;
  for (var c = first(); c < width; c += step()) { pull += ${dot("dy[start + c] * weight[c]", "x[start + c]")}; }
  pull = rowSum(pull) * scale * scale / f32(sizes.cols);
  for (var c = first(); c < width; c += step()) {
    write_dx(start + c, ${skip}scale * (dy[start + c] * weight[c] - x[start + c] * pull));
  }
}`,
  };
}

/** partial[chunk,c] = sum over the rows r of the chunk of x[r,c] * inverse[r] * dy[r,c] */
export const rmsNormWeightGradient = kernel({
  name: "rmsNormWeightGradient",
  buffers: { x: "read", inverse: "read", dy: "read", partial: "write" },
  sizes: { rows: "u32", cols: "u32", chunks: "u32" },
  flops: ({ rows, cols }) => 3 * rows * cols,
  source: (sizes, target) =>
    columnSums({ ...sizes, terms: ["x[at] * inverse[r] * dy[at]"], buffers: ["x", "dy"], result: "partial" }, target),
});
