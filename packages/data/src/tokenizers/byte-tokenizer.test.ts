import { expect, test } from "vitest";
import { byteTokenizer } from "./byte-tokenizer";

test("bytes round-trip any text", () => {
  const { encode, decode } = byteTokenizer();
  const text = "Call me Ishmael. — ☃ 鯨";
  expect(decode(encode(text))).toBe(text);
  expect(encode("é")).toEqual(Uint32Array.of(0xc3, 0xa9));
});

test("a byte order mark is kept", () => {
  const { encode, decode } = byteTokenizer();
  expect(encode(decode([0xef, 0xbb, 0xbf, 65]))).toEqual(Uint32Array.of(0xef, 0xbb, 0xbf, 65));
});

test("a decoder waits for the rest of a character", () => {
  const { encode, decoder } = byteTokenizer();
  const stream = decoder();
  const parts = Array.from(encode("a☃b"), (token) => stream.push([token]));
  expect(parts).toEqual(["a", "", "", "☃", "b"]);
  expect(stream.push(encode("☃").subarray(0, 2)) + stream.end()).toBe("\ufffd");
});

test("bytes that are no text show as replacement characters", () => {
  expect(byteTokenizer().decode([72, 105, 0xff])).toBe("Hi\ufffd");
});
