import { expect, test } from "vitest";
import { byteTokenizer } from "./tokenizer";

test("bytes round-trip any text", () => {
  const { encode, decode } = byteTokenizer();
  const text = "Call me Ishmael. — ☃ 鯨";
  expect(decode(encode(text))).toBe(text);
  expect(encode("é")).toEqual(Uint32Array.of(0xc3, 0xa9));
});

test("bytes that are no text show as replacement characters", () => {
  expect(byteTokenizer().decode([72, 105, 0xff])).toBe("Hi\ufffd");
});
