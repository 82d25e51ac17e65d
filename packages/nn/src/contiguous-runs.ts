import { arenaRange, Tensor } from "@webmoe/tensor";

/**
 * Tensors in the order of memory, cut where the arena or the `treatment` changes, or where neighbours in one of the trees
 * `beside` are none in memory. What lies in one run can be updated by one kernel.
 */
export function contiguousRuns(
  tensors: [path: string, tensor: Tensor][],
  treatment: (tensor: Tensor) => unknown,
  beside: Map<string, Tensor>[],
): [string, Tensor][][] {
  const ordered = tensors.toSorted(
    ([, a], [, b]) => a.slice.storage.id - b.slice.storage.id || a.slice.offset - b.slice.offset,
  );
  const runs: [string, Tensor][][] = [];
  for (const entry of ordered) {
    const [path, tensor] = entry;
    const [lastPath, last] = runs.at(-1)?.at(-1) ?? [];
    const joins =
      last &&
      treatment(last) === treatment(tensor) &&
      adjoin(last, tensor) &&
      beside.every((tree) => adjoin(tree.get(lastPath!)!, tree.get(path)!));
    if (joins) runs.at(-1)!.push(entry);
    else runs.push([entry]);
  }
  return runs;
}

function adjoin({ slice }: Tensor, { slice: next }: Tensor): boolean {
  return slice.storage === next.storage && slice.offset + arenaRange(slice.bytes) === next.offset;
}

/** Bytes from the start of a run to the end of its last tensor's range; what lies between tensors is and stays zero. */
export function runBytes(run: [string, Tensor][]): number {
  const end = run.at(-1)![1].slice;
  return end.offset + arenaRange(end.bytes) - run[0]![1].slice.offset;
}

/** The memory from a tensor's start on, `bytes` long, as one vector. */
export function vector({ trace, slice }: Tensor, bytes: number, offset = slice.offset): Tensor {
  return new Tensor(trace, [bytes / 4], "f32", { storage: slice.storage, offset, bytes });
}
