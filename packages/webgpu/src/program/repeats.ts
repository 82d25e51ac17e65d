// The same computation on the same memory gives the same result: recorded twice, it runs once. Layers ask for many small
// things anew (how many tokens count, which token an assignment belongs to) and need not know of one another.

import type { CompiledKernel } from "../kernel";
import type { Dispatch, Slice, Storage } from "./recording";

/** Results above this many bytes are computed again, as they were asked for: keeping them would cost memory. */
const MOST_BYTES = 2 ** 18;

/**
 * Drop dispatches that repeat an earlier one, and let what reads their results read the earlier ones. Only temporaries
 * that nothing else writes are shared, and none of `kept`, which are read after the program.
 */
export function shareRepeats(recorded: Dispatch[], kept: Set<Storage>): Dispatch[] {
  const writers = new Map<Storage, number>();
  for (const { kernel, slices } of recorded) {
    for (const storage of written(kernel, slices)) writers.set(storage, (writers.get(storage) ?? 0) + 1);
  }
  const shareable = ({ storage, offset, bytes }: Slice, most: number) =>
    storage.kind === "temporary" &&
    offset === 0 &&
    bytes === storage.bytes &&
    bytes <= most &&
    writers.get(storage) === 1 &&
    !kept.has(storage);

  const versions = new Map<Storage, number>();
  const replaced = new Map<Storage, Storage>();
  /** Results of computations, by shader and by what it was called with. */
  const earlier = new Map<string, Map<string, Storage[]>>();
  return recorded.flatMap((dispatch) => {
    const { kernel } = dispatch;
    const slices = dispatch.slices.map((slice) => {
      const storage = replaced.get(slice.storage);
      return storage ? { ...slice, storage } : slice;
    });
    const most = kernel.shareRepeats === "small" ? MOST_BYTES : Number.POSITIVE_INFINITY;
    const results = slices.filter((_, i) => kernel.access[i] !== "read");
    if (kernel.access.every((access) => access !== "update") && results.every((slice) => shareable(slice, most))) {
      const reads = slices
        .filter((_, i) => kernel.access[i] === "read")
        .map(({ storage, offset, bytes }) => `${storage.id}.${versions.get(storage) ?? 0}:${offset}+${bytes}`);
      const sizes = kernel.uniform ? new Uint32Array(kernel.uniform).join() : "";
      const calls = earlier.get(kernel.wgsl) ?? new Map<string, Storage[]>();
      earlier.set(kernel.wgsl, calls);
      const call = [kernel.grid, sizes, ...reads].join("\n");
      const known = calls.get(call);
      if (known) {
        results.forEach(({ storage }, i) => {
          replaced.set(storage, known[i]!);
        });
        return [];
      }
      calls.set(
        call,
        results.map(({ storage }) => storage),
      );
    }
    for (const storage of written(kernel, slices)) versions.set(storage, (versions.get(storage) ?? 0) + 1);
    return [{ ...dispatch, slices }];
  });
}

function written({ access }: CompiledKernel, slices: Slice[]): Storage[] {
  return slices.flatMap(({ storage }, i) => (access[i] === "read" ? [] : [storage]));
}
