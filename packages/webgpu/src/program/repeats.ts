// The same computation on the same memory gives the same result: recorded twice, it runs once. Layers ask for many small
// things anew (how many tokens count, which token an assignment belongs to) and need not know of one another.

import { isOwn, writesTo } from "./ranges";
import type { Dispatch, Slice, Storage } from "./recording";
import { usersOf } from "./users";

/** Results above this many bytes are computed again, as they were asked for: keeping them would cost memory. */
const MOST_BYTES = 2 ** 18;

/**
 * Drop dispatches that repeat an earlier one, and let what reads their results read the earlier ones. Only temporaries
 * that nothing else writes are shared, and none of `kept`, which are read after the program. An earlier result may be a range of
 * something larger; a later one is a whole temporary.
 */
export function shareRepeats(recorded: Dispatch[], kept: Set<Storage>): Dispatch[] {
  const users = usersOf(recorded);
  const isShareable = (range: Slice, most: number) => {
    const { storage } = range;
    if (storage.kind !== "temporary" || storage.bytes > most || kept.has(storage)) return false;
    return users.get(storage)!.writers.filter((writer) => writesTo(recorded[writer]!, range)).length === 1;
  };
  // A kernel binds no buffer for reading and for writing at once.
  const canStandFor = (earlier: Slice, later: Slice) =>
    isOwn(later) &&
    (isOwn(earlier) ||
      users.get(later.storage)!.readers.every((reader) => !writtenBy(recorded[reader]!).includes(earlier.storage)));

  const versions = new Map<Storage, number>();
  const replaced = new Map<Storage, Slice>();
  /** Results of computations, by shader and by what it was called with. */
  const earlier = new Map<string, Map<string, Slice[]>>();
  return recorded.flatMap((dispatch) => {
    const { kernel } = dispatch;
    const slices = dispatch.slices.map((slice) => {
      const known = replaced.get(slice.storage);
      return known ? { storage: known.storage, offset: known.offset + slice.offset, bytes: slice.bytes } : slice;
    });
    const most = kernel.shareRepeats === "small" ? MOST_BYTES : Number.POSITIVE_INFINITY;
    const results = slices.filter((_, i) => kernel.access[i] !== "read");
    if (kernel.access.every((access) => access !== "update") && results.every((slice) => isShareable(slice, most))) {
      const reads = slices
        .filter((_, i) => kernel.access[i] === "read")
        .map(({ storage, offset, bytes }) => `${storage.id}.${versions.get(storage) ?? 0}:${offset}+${bytes}`);
      const sizes = kernel.uniform ? new Uint32Array(kernel.uniform).join() : "";
      const calls = earlier.get(kernel.wgsl) ?? new Map<string, Slice[]>();
      earlier.set(kernel.wgsl, calls);
      const call = [kernel.grid, sizes, ...reads].join("\n");
      const known = calls.get(call);
      if (known && results.every((result, i) => canStandFor(known[i]!, result))) {
        results.forEach(({ storage }, i) => {
          replaced.set(storage, known[i]!);
        });
        return [];
      }
      if (!known) calls.set(call, results);
    }
    for (const storage of writtenBy({ ...dispatch, slices })) versions.set(storage, (versions.get(storage) ?? 0) + 1);
    return [{ ...dispatch, slices }];
  });
}

function writtenBy({ kernel: { access }, slices }: Dispatch): Storage[] {
  return slices.flatMap(({ storage }, i) => (access[i] === "read" ? [] : [storage]));
}
