import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeHeader, encodeHeader, parseSafetensors } from "./safetensors";

const count = fc.oneof(fc.nat(40), fc.constantFrom(2 ** 31, 2 ** 53, 2 ** 60, -1, 0.5), fc.jsonValue({ maxDepth: 1 }));
const lyingTensor = fc.oneof(
  fc.record(
    {
      dtype: fc.oneof(fc.constantFrom("F32", "U32", "F16", "BF16", "toString"), fc.jsonValue({ maxDepth: 1 })),
      shape: fc.oneof(fc.array(count, { maxLength: 4 }), fc.jsonValue({ maxDepth: 1 })),
      data_offsets: fc.oneof(fc.array(count, { minLength: 1, maxLength: 3 }), fc.jsonValue({ maxDepth: 1 })),
    },
    { requiredKeys: [] },
  ),
  fc.jsonValue({ maxDepth: 2 }),
);
const name = fc.oneof(fc.constantFrom("w", "__metadata__", "__proto__", "../../w"), fc.string());
const header = fc.oneof(
  fc.dictionary(name, lyingTensor, { maxKeys: 4 }).map((json) => JSON.stringify(json)),
  fc.string(),
);

/** A file with a header, a length that may be another, and some bytes after it. */
const file = fc
  .tuple(header, fc.oneof(fc.constant(0n), fc.constantFrom(1n, -1n, 2n ** 60n)), fc.uint8Array({ maxLength: 64 }))
  .map(([text, lie, data]) => {
    const json = new TextEncoder().encode(text);
    const bytes = new Uint8Array(8 + json.length + data.length);
    new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, BigInt(json.length) + lie), true);
    bytes.set(json, 8);
    bytes.set(data, 8 + json.length);
    return bytes;
  });

/** A whole file with some bytes changed or cut off. */
const damaged = fc
  .tuple(fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 4 }), fc.option(fc.nat(200), { nil: undefined }))
  .map(([changes, length]) => {
    const { header, fileBytes } = encodeHeader([
      { name: "a", dtype: "F32", shape: [2, 3] },
      { name: "b", dtype: "U32", shape: [1] },
    ]);
    const bytes = new Uint8Array(fileBytes);
    bytes.set(header);
    for (const [at, value] of changes) bytes[at % bytes.length] = value;
    return bytes.subarray(0, length);
  });

test("any bytes are a file whose tensors lie within it, or an error that says what is wrong", () => {
  let whole = 0;
  fc.assert(
    fc.property(fc.oneof(file, damaged, fc.uint8Array({ maxLength: 100 })), (bytes) => {
      try {
        const { tensors } = decodeHeader(bytes, bytes.length);
        for (const { start, end } of tensors.values()) {
          expect(start).toBeGreaterThanOrEqual(8);
          expect(end).toBeGreaterThanOrEqual(start);
          expect(end).toBeLessThanOrEqual(bytes.length);
        }
        expect(parseSafetensors(bytes).size).toBe(tensors.size);
        whole++;
      } catch (error) {
        expect((error as Error).message).toMatch(/^safetensors: /);
      }
    }),
    { numRuns: 12_000, seed: 1 },
  );
  expect(whole).toBeGreaterThan(50);
});

test.each([
  [[2 ** 60], [0, 16], /no valid shape/],
  [[2 ** 30, 2 ** 30], [0, 16], /needs 4611686018427388000 bytes for its shape, got 16/],
  [[4], [0, 2 ** 60], /no valid shape and offsets/],
  [[4], [2 ** 40, 2 ** 40 + 16], /ends at byte/],
  [[4], [16, 0], /needs 16 bytes for its shape, got -16/],
  [[2], [8, 16], /8 bytes before "w" belong to no tensor/],
])("shape %j at offsets %j is refused", (shape, data_offsets, message) => {
  const json = new TextEncoder().encode(JSON.stringify({ w: { dtype: "F32", shape, data_offsets } }));
  const bytes = new Uint8Array(8 + json.length + 16);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  expect(() => parseSafetensors(bytes)).toThrow(message);
  new DataView(bytes.buffer).setBigUint64(0, 2n ** 60n, true);
  expect(() => parseSafetensors(bytes)).toThrow(/the header says 1152921504606847000 bytes/);
});
