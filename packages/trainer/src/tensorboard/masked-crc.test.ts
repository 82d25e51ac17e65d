import { expect, test } from "vitest";
import { crc32c } from "./masked-crc";

test.each([
  ["zeros", new Uint8Array(32), 0x8a9136aa],
  ["ones", new Uint8Array(32).fill(255), 0x62a8ab43],
  ["rising bytes", Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
  ["falling bytes", Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
])("CRC-32C of 32 %s is that of RFC 3720, B.4", (_, bytes, expected) => {
  expect(crc32c(bytes)).toBe(expected);
});
