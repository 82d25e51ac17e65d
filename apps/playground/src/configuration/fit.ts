import { bytes as written } from "../panels/format";
import type { Measure } from "./measure";

/** What is known of the place where a model is to fit. */
export interface Room {
  /** Bytes a kernel may bind as one array, by the adapter. */
  binding: number;
  /** Gigabytes of main memory, as far as the browser tells: it says 8 for more. */
  memory?: number;
}

/** Why a configuration may not fit; undefined where nothing speaks against it. */
export function fitWarning({ bytes, largestArray }: Measure, { binding, memory = 4 }: Room): string | undefined {
  if (largestArray > binding) {
    return `One layer's experts need an array of ${written(largestArray)}, and this GPU binds at most ${written(binding)}: take fewer or narrower experts, or a smaller batch.`;
  }
  const likely = (memory / 2) * 1e9;
  if (bytes > likely) {
    return `About ${written(bytes)} on the GPU may be more than there is (a browser does not tell; half of main memory is ${written(likely)}): take a smaller batch, context or model.`;
  }
  return undefined;
}
