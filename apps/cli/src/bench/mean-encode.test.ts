import { expect, test } from "vitest";
import { meanEncodeMs } from "./mean-encode";

test("encoding is averaged over the runs since a look, and is nothing where none was", () => {
  const before = { runs: 10, encodeMs: 50 };
  expect(meanEncodeMs(before, { runs: 14, encodeMs: 58 })).toBe(2);
  expect(meanEncodeMs(before, before)).toBe(0);
});
