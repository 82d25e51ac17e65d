import { describe, expect, test } from "vitest";
import { decodeHeader, encodeHeader, headerBytes, parseSafetensors } from "./safetensors";

/** A file as the format's page lays it out: length, header, data. */
function fileOf(header: unknown, dataBytes: number | Uint8Array): Uint8Array {
  const data = typeof dataBytes === "number" ? new Uint8Array(dataBytes) : dataBytes;
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const file = new Uint8Array(8 + text.length + data.length);
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
  file.set(text, 8);
  file.set(data, 8 + text.length);
  return file;
}

const f32 = (shape: number[], from: number, to: number) => ({ dtype: "F32", shape, data_offsets: [from, to] });

test("a header is the bytes that the format's page describes", () => {
  const { header, fileBytes } = encodeHeader([{ name: "w", dtype: "F32", shape: [2] }], { format: "pt" });
  const json = '{"__metadata__":{"format":"pt"},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}';
  const padded = json.padEnd(Math.ceil(json.length / 8) * 8);
  expect([...header.subarray(0, 8)]).toEqual([padded.length, 0, 0, 0, 0, 0, 0, 0]);
  expect(new TextDecoder().decode(header.subarray(8))).toBe(padded);
  expect(fileBytes).toBe(header.length + 8);
});

test("a file of many types is read back, scalars and empty tensors too", () => {
  const tensors = [
    { name: "half", dtype: "F16", shape: [3], values: Uint16Array.of(0x3c00, 0xc000, 1) },
    { name: "matrix", dtype: "F32", shape: [2, 2], values: Float32Array.of(1, -2, 0.5, Number.NaN) },
    { name: "empty", dtype: "F32", shape: [0, 4], values: new Float32Array(0) },
    { name: "count", dtype: "U32", shape: [], values: Uint32Array.of(4_000_000_000) },
    { name: "toString", dtype: "I32", shape: [1], values: Int32Array.of(-7) },
  ] as const;
  const { header, fileBytes } = encodeHeader([...tensors]);
  const file = new Uint8Array(fileBytes);
  file.set(header);
  let at = header.length;
  for (const { values } of tensors) {
    file.set(new Uint8Array(values.buffer), at);
    at += values.byteLength;
  }
  const read = parseSafetensors(file);
  expect([...read.keys()]).toEqual(tensors.map(({ name }) => name));
  for (const { name, shape, values } of tensors) expect(read.get(name)).toEqual({ shape, values });
});

test("the header alone tells where the tensors are in a file of 3 GiB", () => {
  const { header, fileBytes } = encodeHeader([
    { name: "a", dtype: "F32", shape: [3, 2 ** 28] },
    { name: "b", dtype: "F32", shape: [1] },
  ]);
  expect(headerBytes(header, fileBytes)).toBe(header.length);
  expect(decodeHeader(header, fileBytes).tensors.get("b")).toEqual({
    dtype: "F32",
    shape: [1],
    start: header.length + 3 * 2 ** 30,
    end: header.length + 3 * 2 ** 30 + 4,
  });
});

test("two tensors of one name are refused", () => {
  const tensor = { name: "w", dtype: "F32" as const, shape: [1] };
  expect(() => encodeHeader([tensor, tensor])).toThrow(/must differ, got "w" twice/);
});

describe("damaged and hostile files are refused by what is wrong", () => {
  const whole = fileOf({ a: f32([2], 0, 8) }, 8);
  test.each<[string, Uint8Array, RegExp]>([
    ["empty", new Uint8Array(0), /needs at least 8 bytes, got 0/],
    ["shorter than the length field", whole.subarray(0, 5), /needs at least 8 bytes, got 5/],
    ["cut off in the header", whole.subarray(0, 20), /header says \d+ bytes, but the file has 20/],
    ["cut off in the data", whole.subarray(0, whole.length - 1), /"a" ends at byte \d+ of a file of/],
    ["with bytes after the data", fileOf({ a: f32([2], 0, 8) }, 9), /tensors end at byte/],
    ["a length of 2^64 - 1", new Uint8Array(16).fill(0xff), /header says/],
    ["no JSON", fileOf("hello", 0), /not a JSON object/],
    ["not UTF-8", fileOf({}, 0).fill(0xff, 8), /not a JSON object/],
    ["null", fileOf("null", 0), /not a JSON object/],
    ["a list", fileOf("[]", 0), /not a JSON object/],
    [
      "an unknown type",
      fileOf({ a: { ...f32([2], 0, 8), dtype: "F64" } }, 8),
      /"a" has type F64; this reader knows F32/,
    ],
    [
      "a type that every object has",
      fileOf({ a: { ...f32([2], 0, 8), dtype: "constructor" } }, 8),
      /has type constructor/,
    ],
    ["an entry that is null", fileOf({ a: null }, 0), /"a" has type undefined/],
    ["a negative extent", fileOf({ a: f32([-2], 0, 8) }, 8), /no valid shape/],
    ["a huge extent", fileOf({ a: f32([2 ** 60], 0, 8) }, 8), /no valid shape/],
    ["offsets of another size", fileOf({ a: f32([3], 0, 8) }, 8), /needs 12 bytes for its shape, got 8/],
    ["offsets that run backwards", fileOf({ a: f32([2], 8, 0) }, 8), /needs 8 bytes for its shape, got -8/],
    ["overlapping tensors", fileOf({ a: f32([2], 0, 8), b: f32([2], 4, 12) }, 12), /"b" overlaps/],
    ["a hole", fileOf({ a: f32([1], 0, 4), b: f32([1], 8, 12) }, 12), /4 bytes before "b" belong to no tensor/],
  ])("%s", (_, file, message) => {
    expect(() => parseSafetensors(file)).toThrow(message);
  });
});
