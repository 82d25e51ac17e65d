// Every product of experts that gives a weight's gradient is followed by the addition of its spare sums (add-spares.ts), which
// has little to do, so starting it is most of its time. An addition waits for the next one, that of the layer's other product,
// and both run as one, where nothing in between uses what the first writes.

import { compileKernel, type KernelTarget } from "../kernel";
import { addSpares, addSparesOfTwo } from "../kernels/add-spares";
import type { Dispatch } from "./recording";
import { overlap } from "./round-results";

/** Let additions of spare sums share dispatches, two by two. */
export function foldSpares(recorded: Dispatch[], target: KernelTarget): Dispatch[] {
  const result: Dispatch[] = [];
  let waiting: Dispatch | undefined;
  for (const dispatch of recorded) {
    const [, , sum] = waiting?.slices ?? [];
    if (waiting && dispatch.slices.some((slice) => overlap(slice, sum!))) {
      result.push(waiting);
      waiting = undefined;
    }
    if (dispatch.spec !== addSpares) result.push(dispatch);
    else if (waiting) {
      const sizes = { ...waiting.sizes, width1: dispatch.sizes.width0!, spares1: dispatch.sizes.spares0! };
      const kernel = compileKernel(addSparesOfTwo, sizes as never, target, undefined);
      const slices = [...waiting.slices, ...dispatch.slices];
      result.push({ ...dispatch, kernel, slices, sizes, spec: addSparesOfTwo, rounding: () => kernel });
      waiting = undefined;
    } else waiting = dispatch;
  }
  return waiting ? [...result, waiting] : result;
}
