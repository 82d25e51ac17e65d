// The safetensors format (https://huggingface.co/docs/safetensors): eight bytes with the length of a JSON header, little-endian;
// the header, padded with spaces; then the tensors' bytes back to back in the order of their offsets.

/** Element types this project reads and writes; u32 and f32 are 4 bytes, as is i32. */
export type SafetensorsDtype = "F32" | "U32" | "I32" | "F16" | "BF16";

/** A tensor's place in a file. */
export interface TensorInfo {
  /** The type of its elements. */
  dtype: SafetensorsDtype;
  /** The extent of each axis, the outermost first. */
  shape: readonly number[];
  /** From the start of the file to the first byte, and past the last. */
  start: number;
  /** One past the last byte. */
  end: number;
}

const BYTES: Record<SafetensorsDtype, number> = { F32: 4, U32: 4, I32: 4, F16: 2, BF16: 2 };

/** Bytes of a tensor's elements. */
export function tensorBytes({ dtype, shape }: Pick<TensorInfo, "dtype" | "shape">): number {
  return shape.reduce((product, extent) => product * extent, BYTES[dtype]);
}

/** Write a header for tensors that will follow in the given order. Resolves names to places in the file. */
export function encodeHeader(
  tensors: { name: string; dtype: SafetensorsDtype; shape: readonly number[] }[],
  metadata: Record<string, string> = {},
): { header: Uint8Array; fileBytes: number } {
  let offset = 0;
  const entries: Record<string, unknown> = Object.keys(metadata).length > 0 ? { __metadata__: metadata } : {};
  for (const { name, dtype, shape } of tensors) {
    if (Object.hasOwn(entries, name)) throw new Error(`safetensors: tensor names must differ, got "${name}" twice`);
    const bytes = tensorBytes({ dtype, shape });
    entries[name] = { dtype, shape, data_offsets: [offset, offset + bytes] };
    offset += bytes;
  }
  const json = JSON.stringify(entries);
  const text = new TextEncoder().encode(json);
  const padded = Math.ceil((text.length + 8) / 8) * 8;
  const header = new Uint8Array(padded).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(padded - 8), true);
  header.set(text, 8);
  return { header, fileBytes: padded + offset };
}

/** Bytes of the header, its length field included, from the first 8 bytes of a file of `fileBytes` bytes. */
export function headerBytes(start: Uint8Array, fileBytes: number): number {
  if (start.length < 8) throw new Error(`safetensors: needs at least 8 bytes, got ${start.length}`);
  const length = Number(new DataView(start.buffer, start.byteOffset).getBigUint64(0, true)) + 8;
  if (length > fileBytes) {
    throw new Error(
      `safetensors: the header says ${length} bytes, but the file has ${fileBytes}: it is cut off or of another format`,
    );
  }
  return length;
}

/** The tensors of a file, from its first `headerBytes` bytes. Damaged headers are errors. */
export function decodeHeader(
  header: Uint8Array,
  fileBytes: number,
): { tensors: Map<string, TensorInfo>; metadata: Record<string, string> } {
  const length = headerBytes(header, fileBytes);
  let entries: Record<string, unknown>;
  try {
    entries = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(header.subarray(8, length)));
    if (typeof entries !== "object" || entries === null || Array.isArray(entries)) throw new Error("no object");
  } catch {
    throw new Error("safetensors: the header is not a JSON object: the file is damaged or of another format");
  }
  const metadata = (entries.__metadata__ ?? {}) as Record<string, string>;
  const tensors = new Map<string, TensorInfo>();
  for (const [name, value] of Object.entries(entries)) {
    if (name !== "__metadata__") tensors.set(name, tensorInfo(name, value, length, fileBytes));
  }
  let end = length;
  for (const [name, info] of [...tensors].sort(([, a], [, b]) => a.start - b.start || a.end - b.end)) {
    if (info.start < end) throw new Error(`safetensors: "${name}" overlaps the tensor before it: the file is damaged`);
    if (info.start > end)
      throw new Error(
        `safetensors: ${info.start - end} bytes before "${name}" belong to no tensor: the file is damaged`,
      );
    end = info.end;
  }
  if (end !== fileBytes) {
    throw new Error(`safetensors: the tensors end at byte ${end} of a file of ${fileBytes}: the file is damaged`);
  }
  return { tensors, metadata };
}

function tensorInfo(name: string, value: unknown, base: number, fileBytes: number): TensorInfo {
  const {
    dtype,
    shape,
    data_offsets: offsets,
  } = (value ?? {}) as { dtype?: string; shape?: unknown; data_offsets?: unknown };
  if (!dtype || !Object.hasOwn(BYTES, dtype)) {
    throw new Error(`safetensors: "${name}" has type ${dtype}; this reader knows ${Object.keys(BYTES).join(", ")}`);
  }
  const numbers = (list: unknown): list is number[] =>
    Array.isArray(list) && list.every((n) => Number.isSafeInteger(n) && n >= 0);
  if (!numbers(shape) || !numbers(offsets) || offsets.length !== 2) {
    throw new Error(`safetensors: "${name}" has no valid shape and offsets: the file is damaged`);
  }
  const bytes = shape.reduce((product, extent) => product * extent, BYTES[dtype as SafetensorsDtype]);
  const [start, end] = [base + offsets[0]!, base + offsets[1]!];
  if (end - start !== bytes)
    throw new Error(`safetensors: "${name}" needs ${bytes} bytes for its shape, got ${end - start}`);
  if (end > fileBytes)
    throw new Error(`safetensors: "${name}" ends at byte ${end} of a file of ${fileBytes}: it is cut off`);
  return { dtype: dtype as SafetensorsDtype, shape, start, end };
}

/** Every tensor of a file in memory: its shape and its elements (F16 and BF16 as raw 16-bit words). */
export function parseSafetensors(
  file: Uint8Array,
): Map<string, { shape: readonly number[]; values: Float32Array | Uint32Array | Int32Array | Uint16Array }> {
  const { tensors } = decodeHeader(file, file.length);
  return new Map(
    [...tensors].map(([name, { dtype, shape, start, end }]) => {
      const bytes = Uint8Array.from(file.subarray(start, end)).buffer; // a copy of its own: views need aligned starts
      const make = { F32: Float32Array, U32: Uint32Array, I32: Int32Array, F16: Uint16Array, BF16: Uint16Array }[dtype];
      return [name, { shape, values: new make(bytes) }];
    }),
  );
}
