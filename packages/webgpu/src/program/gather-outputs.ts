// A copy out of the GPU waits for the one before it and takes microseconds, whatever its size, and a training step says dozens of
// small things: a loss, and of every layer its balance, entropy and load. So outputs are written side by side, and what lies
// side by side leaves in one copy. Kernels that read one output and write another keep these two in different buffers, as WebGPU
// forbids to bind one buffer for both.

import { aligned } from "./alignment";
import type { Recording, Slice, Storage } from "./recording";

/** Temporaries above this many bytes stay in memory that others may share before they are written. */
const MOST_BYTES = 2 ** 16;

/** Let small outputs share buffers, where no kernel stands against it; returns where the outputs lie. */
export function gatherOutputs(recording: Recording, outputs: Slice[], label: string): Slice[] {
  const small = [...new Set(outputs.map(({ storage }) => storage))].filter(
    ({ kind, bytes }) => kind === "temporary" && bytes <= MOST_BYTES,
  );
  for (const group of groupsOf(recording, small)) {
    if (group.length < 2) continue;
    const bytes = group.reduce((total, storage) => total + aligned(storage.bytes), 0);
    const shared = recording.storage("exclusive", bytes, `${label}: outputs`);
    let offset = 0;
    for (const storage of group) {
      recording.redirect(
        { storage, offset: 0, bytes: storage.bytes },
        { storage: shared, offset, bytes: storage.bytes },
      );
      offset += aligned(storage.bytes);
    }
  }
  return outputs.map((slice) => recording.resolve(slice));
}

/** Groups of storages of which no kernel reads one and writes another; each joins the first group that it may. */
function groupsOf({ dispatches }: Recording, storages: Storage[]): Storage[][] {
  const apart = new Map(storages.map((storage) => [storage, new Set<Storage>()]));
  const written = new Set<Storage>();
  for (const { kernel, slices } of dispatches) {
    const bound = slices.flatMap(({ storage }, i) =>
      apart.has(storage) ? [{ storage, reads: kernel.access[i] === "read" }] : [],
    );
    for (const a of bound) {
      if (!a.reads) written.add(a.storage);
      for (const b of bound) if (a.reads !== b.reads) apart.get(a.storage)!.add(b.storage);
    }
  }
  const groups: Storage[][] = [];
  const groupOf = new Map<Storage, Storage[]>();
  for (const storage of storages.filter((storage) => written.has(storage))) {
    const closed = new Set([...apart.get(storage)!].map((other) => groupOf.get(other)));
    const group = groups.find((group) => !closed.has(group)) ?? [];
    if (group.length === 0) groups.push(group);
    group.push(storage);
    groupOf.set(storage, group);
  }
  return groups;
}
