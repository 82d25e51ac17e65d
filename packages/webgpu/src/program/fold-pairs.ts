// A kernel that has little to do takes most of its time to start. Where it has a `pair`, a call waits for the next one and both
// run as one, unless something in between uses what the first writes, or writes what it reads.

import { compileKernel, type Kernel, type KernelTarget } from "../kernel";
import { overlap } from "./ranges";
import type { Dispatch } from "./recording";

/** Let calls of kernels that have a `pair` share dispatches, two by two. */
export function foldPairs(recorded: Dispatch[], target: KernelTarget): Dispatch[] {
  const result: Dispatch[] = [];
  let waiting: Dispatch | undefined;
  for (const dispatch of recorded) {
    const { pair } = dispatch.spec as Kernel<string, string, never>;
    if (waiting && (meet(waiting, dispatch) || (pair && waiting.spec !== dispatch.spec))) {
      result.push(waiting);
      waiting = undefined;
    }
    if (!pair) result.push(dispatch);
    else if (!waiting) waiting = dispatch;
    else {
      result.push(together(waiting, dispatch, pair, target));
      waiting = undefined;
    }
  }
  return waiting ? [...result, waiting] : result;
}

/** Whether one of two dispatches writes what the other uses, so that their order counts. */
function meet(a: Dispatch, b: Dispatch): boolean {
  return a.slices.some((own, i) =>
    b.slices.some(
      (other, j) => overlap(own, other) && (a.kernel.access[i] !== "read" || b.kernel.access[j] !== "read"),
    ),
  );
}

/** One dispatch for two calls. */
function together(a: Dispatch, b: Dispatch, spec: Kernel, target: KernelTarget): Dispatch {
  const second = Object.entries(b.sizes).map(([name, value]) => [name.replace("0", "1"), value]);
  const sizes = { ...a.sizes, ...Object.fromEntries(second) };
  const kernel = compileKernel(spec, sizes, target, undefined);
  const slices = [...a.slices, ...b.slices];
  return { ...a, kernel, slices, sizes, flops: a.flops + b.flops, spec, rounding: () => kernel };
}
