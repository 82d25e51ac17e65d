import { maskedCrc } from "./masked-crc";

/** An event of a file, as far as this library writes them. */
export interface ReadEvent {
  step: number;
  /** Where its record ends, in bytes from the start of the file. */
  end: number;
  /** Values by tag; undefined where it has none. */
  scalars?: Record<string, number>;
}

/** The events of a file, up to its end or to the first record that is cut off or damaged. */
export function* readEvents(file: Uint8Array): Generator<ReadEvent> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  for (let start = 0; start + 16 <= file.length; ) {
    const length = Number(view.getBigUint64(start, true));
    const end = start + 12 + length + 4;
    if (end > file.length) return;
    const data = file.subarray(start + 12, start + 12 + length);
    if (view.getUint32(end - 4, true) !== maskedCrc(data)) return;
    yield { ...readEvent(data), end };
    start = end;
  }
}

function readEvent(data: Uint8Array): Omit<ReadEvent, "end"> {
  let step = 0;
  let scalars: Record<string, number> | undefined;
  for (const { field, number, bytes } of fields(data)) {
    if (field === 2) step = number;
    else if (field === 5) scalars = Object.fromEntries([...fields(bytes!)].map(({ bytes }) => readValue(bytes!)));
  }
  return { step, scalars };
}

function readValue(data: Uint8Array): [tag: string, value: number] {
  let tag = "";
  let value = 0;
  for (const { field, number, bytes } of fields(data)) {
    if (field === 1) tag = new TextDecoder().decode(bytes);
    else if (field === 2) value = number;
  }
  return [tag, value];
}

/** The fields of a message: numbers as numbers, the rest as bytes. */
function* fields(data: Uint8Array): Generator<{ field: number; number: number; bytes?: Uint8Array }> {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = data[at++]!;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  while (at < data.length) {
    const head = varint();
    const [field, wire] = [Math.floor(head / 8), head % 8];
    if (wire === 0) yield { field, number: varint() };
    else if (wire === 1) {
      yield { field, number: view.getFloat64(at, true) };
      at += 8;
    } else if (wire === 5) {
      yield { field, number: view.getFloat32(at, true) };
      at += 4;
    } else {
      const length = varint();
      yield { field, number: length, bytes: data.subarray(at, at + length) };
      at += length;
    }
  }
}
