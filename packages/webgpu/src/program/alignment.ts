/** Offsets of bindings must be multiples of this many bytes (WebGPU's default `minStorageBufferOffsetAlignment`). */
export const ALIGNMENT = 256;

/** Round bytes up to the alignment of bindings. */
export function aligned(bytes: number, alignment = ALIGNMENT): number {
  return Math.ceil(bytes / alignment) * alignment;
}
