import { crossEntropyBackward, crossEntropyForward, Expression, meanLoss } from "@webmoe/webgpu";
import { showShape } from "../shape";
import { type AnyTensor, type Dtype, place, rowRange, type Tensor, withGradient } from "../tensor";
import { constant, placeFormulas } from "./formulas";
import { matmul, matmulInto } from "./matmul";

/** A target that takes no part in the loss: padding. */
export const IGNORE = 0xffffffff;

/** -log softmax(logits)[target] of every row, in nats; 0 where the target is `IGNORE`. logits [T, V], targets u32 [T]. */
export function crossEntropy(logits: Tensor, targets: Tensor<"u32">): Tensor {
  const [rows, cols] = checkedSizes("crossEntropy", logits, targets);
  const { loss, lse } = place(crossEntropyForward, { logits, targets }, { rows, cols }, { loss: [rows], lse: [rows] });
  return withGradient("crossEntropy", loss, [logits], (dloss) => [backward(logits, targets, lse, dloss)]);
}

/** The gradient of logits; dloss is that of every row's loss, [T], or one for all. */
function backward(logits: Tensor, targets: Tensor<"u32">, lse: Tensor, dloss: Tensor): Tensor {
  const [rows, cols] = logits.shape as [number, number];
  const sizes = { rows, cols, stride: dloss.size === rows ? 1 : 0 };
  const { recording } = logits.trace;
  return recording.counted(
    "logits",
    () => place(crossEntropyBackward, { logits, targets, lse, dloss }, sizes, { dlogits: logits.shape }).dlogits,
  );
}

/** The mean of the losses of rows whose target is not `IGNORE`, and what each of them counts for: scalars. */
function meanOver(loss: Tensor, targets: Tensor<"u32">): Record<"mean" | "share", Tensor> {
  return place(meanLoss, { loss, targets }, { rows: targets.size }, { mean: [], share: [] });
}

const product = (factors: Tensor[]): Tensor =>
  placeFormulas("scaled", factors, [factors.map((_, i) => Expression.input(i)).reduce((a, b) => a.mul(b))])[0]!;

/** The mean of crossEntropy over all rows, a scalar. */
function meanCrossEntropy(logits: Tensor, targets: Tensor<"u32">): Tensor {
  const [rows, cols] = checkedSizes("linearCrossEntropy", logits, targets);
  const { loss, lse } = place(crossEntropyForward, { logits, targets }, { rows, cols }, { loss: [rows], lse: [rows] });
  const { mean, share } = meanOver(loss, targets);
  return withGradient("meanCrossEntropy", mean, [logits], (dmean) => [
    backward(logits, targets, lse, product([dmean, share])),
  ]);
}

/** How `linearCrossEntropy` divides its work. */
export interface ChunkOptions {
  /** Logits that exist at once: tokens are taken in chunks of at most this many elements. Default 2^26 (256 MiB). */
  maxLogits?: number;
}

/**
 * The mean of crossEntropy(x weight^T, targets) over all tokens but those with a target of `IGNORE`, without all logits at once: tokens
 * are taken in chunks. Since a mean passes its gradient to every token alike, a chunk's gradients are computed while its logits are there, and scaled in the
 * backward pass. x [T, D], weight [V, D]; a scalar.
 */
export function linearCrossEntropy(
  x: Tensor,
  weight: Tensor,
  targets: Tensor<"u32">,
  options: ChunkOptions = {},
): Tensor {
  const { trace } = x;
  const asLogits = <T>(make: () => T) => trace.recording.counted("logits", make);
  const rows = x.shape[0]!;
  const vocab = weight.shape[0]!;
  const maxLogits = options.maxLogits ?? 2 ** 26;
  // Multiples of 64 rows start on 256 bytes in every tensor with one or more elements a row.
  const rowsPerChunk = Math.max(64, Math.floor(maxLogits / vocab / 64) * 64);
  const logitsOf = (x: Tensor) => asLogits(() => matmul(x, weight, { transposeB: true }));
  if (rows <= rowsPerChunk) return meanCrossEntropy(logitsOf(x), targets);

  const loss = trace.temporary([rows], "f32", "loss");
  const dx = trace.temporary(x.shape, "f32", "linearCrossEntropy.dx");
  const one = constant(trace, [], 1);
  let dweight: Tensor | undefined;
  for (let start = 0; start < rows; start += rowsPerChunk) {
    const chunk = <D extends Dtype>(tensor: Tensor<D>) => rowRange(tensor, start, Math.min(rows, start + rowsPerChunk));
    const xs = chunk(x);
    const logits = logitsOf(xs);
    // Only a product on matrix units can write them rounded, whose operands are rounded as well.
    trace.recording.mayRound.add(logits.slice.storage);
    const sizes = { rows: logits.shape[0]!, cols: vocab };
    const forward = place(crossEntropyForward, { logits, targets: chunk(targets) }, sizes, {
      loss: [sizes.rows],
      lse: [sizes.rows],
    });
    trace.recording.redirect(forward.loss.slice, chunk(loss).slice);
    const dlogits = backward(logits, chunk(targets), forward.lse, one);
    const dxs = matmul(dlogits, weight);
    trace.recording.redirect(dxs.slice, chunk(dx).slice);
    if (dweight) matmulInto(dweight, dlogits, xs, { transposeA: true });
    else dweight = matmul(dlogits, xs, { transposeA: true });
  }
  const { mean, share } = meanOver(loss, targets);
  return withGradient("linearCrossEntropy", mean, [x, weight], (dmean) => [
    product([dx, dmean, share]),
    product([dweight!, dmean, share]),
  ]);
}

function checkedSizes(who: string, logits: Tensor, targets: Tensor<"u32">): [number, number] {
  const [rows, cols] = logits.shape as [number, number];
  const { dtype }: AnyTensor = targets;
  if (logits.shape.length !== 2 || targets.size !== rows || dtype !== "u32") {
    throw new Error(`${who}: needs logits [T, V] and u32 targets [T], got ${showShape(logits.shape)} and ${targets}`);
  }
  return [rows, cols];
}
