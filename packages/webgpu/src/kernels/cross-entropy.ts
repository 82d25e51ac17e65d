// Each row of logits against the index of its right class. A target of 0xffffffff is ignored: no loss, no gradient.

import { kernel } from "../kernel";
import { NONE } from "./none";
import { wide } from "./wide";

/** lse[r] = log(sum(exp(logits[r,:]))), loss[r] = lse[r] - logits[r, targets[r]], or 0 where the target is ignored */
export const crossEntropyForward = kernel({
  name: "crossEntropyForward",
  buffers: { logits: "read", targets: "read u32", loss: "write", lse: "write" },
  sizes: { rows: "u32", cols: "u32" },
  flops: ({ rows, cols }) => 4 * rows * cols,
  source: ({ rows, cols }, target) => {
    const { lanes, vectors, dot } = wide(target, cols, ["logits"]);
    const largestOf = lanes === 4 ? "max(max(value.x, value.y), max(value.z, value.w))" : "value";
    const right = lanes === 4 ? "read_logits(start + right / 4u)[right % 4u]" : "read_logits(start + right)";
    return {
      form: "rows",
      rows,
      vectors,
      operands: ["logits"],
      wgsl: /* wgsl */ `
fn run(row: u32) {
  let width = sizes.cols / ${lanes}u;
  let start = row * width;
  var largest = -3.4e38;
  for (var c = first(); c < width; c += step()) {
    let value = read_logits(start + c);
    largest = max(largest, ${largestOf});
  }
  largest = rowMax(largest);
  var total = 0.0;
  for (var c = first(); c < width; c += step()) {
    let share = exp(read_logits(start + c) - largest);
    total += ${lanes === 4 ? dot("share", "vec4f(1.0)") : "share"};
  }
  total = rowSum(total);
  if (isFirst()) {
    let normaliser = largest + log(total);
    let right = targets[row];
    lse[row] = normaliser;
    loss[row] = 0.0;
    if (right != ${NONE}) { loss[row] = normaliser - ${right}; }
  }
}`,
    };
  },
});

/**
 * dlogits[r,c] = (exp(logits[r,c] - lse[r]) - [c = targets[r]]) * dloss[r * stride], or 0 where the target is ignored; stride 1, or 0
 * where every row has the same dloss
 */
export const crossEntropyBackward = kernel({
  name: "crossEntropyBackward",
  buffers: {
    logits: "read",
    targets: "read u32",
    lse: "read",
    dloss: "read",
    dlogits: "write",
  },
  sizes: { rows: "u32", cols: "u32", stride: "u32" },
  flops: ({ rows, cols }) => 4 * rows * cols,
  source: ({ rows, cols }, target) => {
    const { lanes, alias, vectors } = wide(target, cols, ["logits", "dlogits"]);
    const isRight = lanes === 4 ? "4u * c + vec4u(0u, 1u, 2u, 3u) == vec4u(right)" : "c == right";
    return {
      form: "rows",
      rows,
      vectors,
      results: ["dlogits"],
      operands: ["logits"],
      wgsl: /* wgsl */ `${alias}
fn run(row: u32) {
  let width = sizes.cols / ${lanes}u;
  let start = row * width;
  let right = targets[row];
  let scale = select(dloss[row * sizes.stride], 0.0, right == ${NONE});
  let normaliser = lse[row];
  for (var c = first(); c < width; c += step()) {
    let certain = select(Wide(), Wide() + 1.0, ${isRight});
    write_dlogits(start + c, (exp(read_logits(start + c) - normaliser) - certain) * scale);
  }
}`,
    };
  },
});

/** With n the number of targets that are not ignored, at least 1: mean[0] = sum over r of loss[r] / n, share[0] = 1 / n */
export const meanLoss = kernel({
  name: "meanLoss",
  buffers: { loss: "read", targets: "read u32", mean: "write", share: "write" },
  sizes: { rows: "u32" },
  source: ({ rows }) => ({
    form: "rows",
    rows: 1,
    workgroup: rows >= 2048 ? 256 : undefined,
    wgsl: /* wgsl */ `
fn run(row: u32) {
  var total = 0.0;
  var count = 0.0;
  for (var r = first(); r < sizes.rows; r += step()) {
    total += loss[r];
    count += select(1.0, 0.0, targets[r] == ${NONE});
  }
  total = rowSum(total);
  count = max(rowSum(count), 1.0);
  if (isFirst()) {
    mean[0] = total / count;
    share[0] = 1.0 / count;
  }
}`,
  }),
});
