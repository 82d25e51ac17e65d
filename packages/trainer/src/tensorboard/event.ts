// Events as TensorBoard reads them: messages of protocol buffers (tensorflow/core/util/event.proto and framework/summary.proto),
// of which this writes the fields that curves need, in records of a TFRecord file:
//
//   length u64 | masked CRC of length u32 | data | masked CRC of data u32        all little-endian

import { maskedCrc } from "./masked-crc";

/** What one event says besides when it was. */
export type EventContent =
  /** The first of every file. */
  | { kind: "version" }
  /** A run begins or goes on: what is there of this step and later ones is to be forgotten. */
  | { kind: "start"; step: number }
  /** Figures of a step by tag. */
  | { kind: "scalars"; step: number; values: Record<string, number> };

/** One event as a record of a file. `time` is in seconds since 1970. */
export function eventRecord(time: number, content: EventContent): Uint8Array {
  return record(concatenated([double(1, time), ...contentFields(content)]));
}

function contentFields(content: EventContent): Uint8Array[] {
  if (content.kind === "version") return [text(3, "brain.Event:2")];
  const step = integer(2, content.step);
  if (content.kind === "start") return [step, nested(7, [integer(1, SESSION_START)])];
  const values = Object.entries(content.values).map(([tag, value]) => nested(1, [text(1, tag), float(2, value)]));
  return [step, nested(5, values)];
}

/** SessionLog.START */
const SESSION_START = 1;

/** Kinds of values on the wire. */
const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 };

const head = (field: number, wire: number) => varint(field * 8 + wire);

const integer = (field: number, value: number) => concatenated([head(field, WIRE.varint), varint(value)]);

const double = (field: number, value: number) =>
  concatenated([head(field, WIRE.fixed64), fixed(8, (view) => view.setFloat64(0, value, true))]);

const float = (field: number, value: number) =>
  concatenated([head(field, WIRE.fixed32), fixed(4, (view) => view.setFloat32(0, value, true))]);

const text = (field: number, value: string) => lengthGiven(field, new TextEncoder().encode(value));

const nested = (field: number, fields: Uint8Array[]) => lengthGiven(field, concatenated(fields));

const lengthGiven = (field: number, bytes: Uint8Array) =>
  concatenated([head(field, WIRE.bytes), varint(bytes.length), bytes]);

/** Seven bits a byte, the lowest first; all bytes but the last have the highest bit set. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Uint8Array.from([...bytes, rest]);
}

function fixed(length: number, write: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(length);
  write(new DataView(bytes.buffer));
  return bytes;
}

function record(data: Uint8Array): Uint8Array {
  const length = fixed(8, (view) => view.setBigUint64(0, BigInt(data.length), true));
  const crc = (of: Uint8Array) => fixed(4, (view) => view.setUint32(0, maskedCrc(of), true));
  return concatenated([length, crc(length), data, crc(data)]);
}

function concatenated(parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
