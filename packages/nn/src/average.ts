import { averageInto, leaves, type Tensor } from "@webmoe/tensor";
import { contiguousRuns, runBytes, vector } from "./contiguous-runs";

/** Move a running average of parameters on, in place: average = decay average + (1 - decay) parameters. */
export function averageParameters(average: unknown, parameters: unknown, decay: number): void {
  const averages = new Map(leaves<Tensor>(average));
  for (const run of contiguousRuns(leaves<Tensor>(parameters), () => true, [averages])) {
    const [path, start] = run[0]!;
    const bytes = runBytes(run);
    averageInto(vector(averages.get(path)!, bytes), vector(start, bytes), 1 - decay);
  }
}
