// Sums over few rows are everywhere in a backward pass: of the parts of split products, of partial sums of norms' weights and
// of biases. Many write gradients, which nothing reads before the optimizer, so a sum can wait for its neighbours and share
// a dispatch with them (sum-parts.ts). It does not wait long: what is summed was just written and still lies in caches.

import { compileKernel, type KernelTarget } from "../kernel";
import { columnSum } from "../kernels/reduce";
import { MOST_JOBS, sumParts, sumPartsSizes } from "../kernels/sum-parts";
import { overlap } from "./ranges";
import type { Dispatch, Slice, Storage } from "./recording";
import { usersOf } from "./users";

/** Bytes that wait to be summed, at most. */
const MOST_BYTES = 2 ** 26;

interface Sum {
  x: Slice;
  y: Slice;
  rows: number;
  cols: number;
}

/** Let sums over the rows of temporaries share dispatches with others that write to the same storage. */
export function foldSums(recorded: Dispatch[], kept: Set<Storage>, target: KernelTarget): Dispatch[] {
  if (target.kernelClass !== "tiled") return recorded;
  const users = usersOf(recorded);
  const result: Dispatch[] = [];
  let waiting: Sum[] = [];
  const flush = () => {
    if (waiting.length > 0) result.push(together(waiting, target));
    waiting = [];
  };
  for (const dispatch of recorded) {
    const sum = sumIn(dispatch);
    if (waiting.some(({ y }) => dispatch.slices.some((slice) => overlap(slice, y)))) flush();
    if (!sum) {
      result.push(dispatch);
      continue;
    }
    const { storage } = sum.x;
    const { writers, readers } = users.get(storage)!;
    const isSummed = readers.every((reader) => sumIn(recorded[reader]!));
    const waits = storage.kind === "temporary" && writers.length === 1 && isSummed && !kept.has(storage);
    const bytes = waiting.reduce((total, { x }) => total + x.bytes, sum.x.bytes);
    if (waiting.length === MOST_JOBS || bytes > MOST_BYTES || waiting.some(({ y }) => y.storage !== sum.y.storage))
      flush();
    waiting.push(sum);
    if (!waits) flush();
  }
  flush();
  return result;
}

/** The sum that a dispatch is, where `sumParts` can take it. */
function sumIn({ spec, sizes, slices }: Dispatch): Sum | undefined {
  const { rows, cols, chunks } = sizes as { rows: number; cols: number; chunks: number };
  const [x, y] = slices as [Slice, Slice];
  if (spec !== columnSum || chunks !== 1 || cols % 4 !== 0 || x.storage === y.storage) return undefined;
  return { x, y, rows, cols };
}

/** One dispatch for several sums into one storage. */
function together(sums: Sum[], target: KernelTarget): Dispatch {
  const start = Math.min(...sums.map(({ y }) => y.offset));
  const end = Math.max(...sums.map(({ y }) => y.offset + y.bytes));
  const sizes = sumPartsSizes(sums.map(({ y, rows, cols }) => ({ rows, cols, to: (y.offset - start) / 4 })));
  const kernel = {
    ...compileKernel(sumParts, sizes, target, undefined),
    sizes: sums.map(({ rows, cols }) => `${rows} x ${cols}`).join(", "),
  };
  const y: Slice = { storage: sums[0]!.y.storage, offset: start, bytes: end - start };
  const bound = Array.from({ length: MOST_JOBS }, (_, j) => (sums[j] ?? sums[0]!).x);
  const flops = sumParts.flops!(sizes, undefined);
  return { kernel, slices: [...bound, y], sizes, flops, spec: sumParts, rounded: {}, rounding: () => kernel };
}
