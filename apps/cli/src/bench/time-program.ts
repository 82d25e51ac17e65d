import { compile, type DeviceTensor, type Init, materialize, release, rowRange, type Tensor } from "@webmoe/tensor";
import type { DispatchTime, Gpu, KernelTarget } from "@webmoe/webgpu";

/** A computation to be timed kernel by kernel: what it starts from, and what it computes. */
export interface TimedProgram<Name extends string = string> {
  state: Record<Name, Init>;
  /** Returns what has to be computed. */
  body(state: Record<Name, Tensor>): Tensor[];
}

/** The median time of every dispatch, over at least three runs that take `milliseconds` together. */
export async function timeProgram<Name extends string>(
  gpu: Gpu,
  { state, body }: TimedProgram<Name>,
  { precision, milliseconds }: { precision: KernelTarget["precision"]; milliseconds: number },
): Promise<DispatchTime[]> {
  const tensors = {} as Record<Name, DeviceTensor>;
  // Each in a buffer of its own, so that a kernel may read one and write another.
  for (const name of Object.keys(state) as Name[]) tensors[name] = await materialize(gpu, state[name], name);
  const program = await compile(gpu, { label: "timed", state: tensors, precision }, (handles) =>
    // One row is read back, so that everything is computed and little is copied.
    body(handles as Record<Name, Tensor>).map((result) => rowRange(result, 0, 1)),
  );
  try {
    const runs: DispatchTime[][] = [];
    const start = performance.now();
    while (runs.length < 3 || performance.now() - start < milliseconds) runs.push(await program.profile({}));
    return runs[0]!.map((dispatch, index) => ({
      ...dispatch,
      microseconds: median(runs.map((run) => run[index]!.microseconds)),
    }));
  } finally {
    program.close();
    release(tensors);
  }
}

/** The value in the middle. */
function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
