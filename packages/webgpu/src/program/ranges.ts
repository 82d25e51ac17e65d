import type { Dispatch, Slice } from "./recording";

/** Whether two ranges share memory. */
export function overlap(a: Slice, b: Slice): boolean {
  return a.storage === b.storage && a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
}

/** Whether a range is a whole temporary. */
export function isOwn({ storage, offset, bytes }: Slice): boolean {
  return storage.kind === "temporary" && offset === 0 && bytes === storage.bytes;
}

/** Whether a dispatch writes to a range. */
export function writesTo({ kernel, slices }: Dispatch, range: Slice): boolean {
  return slices.some((slice, i) => kernel.access[i] !== "read" && overlap(slice, range));
}
