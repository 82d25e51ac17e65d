/** Bytes that are UTF-8, or one byte that belongs to no character. */
export type Utf8Run = { text: Uint8Array } | { broken: number };

/** Bytes as runs of valid UTF-8 and, between them, the bytes that are part of no character. */
export function* utf8Runs(bytes: Uint8Array): Generator<Utf8Run> {
  let start = 0;
  let at = 0;
  while (at < bytes.length) {
    const length = characterLength(bytes, at);
    if (length > 0) {
      at += length;
      continue;
    }
    if (at > start) yield { text: bytes.subarray(start, at) };
    yield { broken: bytes[at]! };
    at++;
    start = at;
  }
  if (at > start) yield { text: bytes.subarray(start, at) };
}

/** Length in bytes of the character that begins at `at`, or 0 where none does: Unicode 16, table 3-7. */
function characterLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  if (first < 0x80) return 1;
  const second = bytes[at + 1] ?? 0;
  if (first >= 0xc2 && first <= 0xdf) return follows(second) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    // No overlong forms, no surrogates.
    const valid = second >= (first === 0xe0 ? 0xa0 : 0x80) && second <= (first === 0xed ? 0x9f : 0xbf);
    return valid && follows(bytes[at + 2]) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    // Up to U+10FFFF.
    const valid = second >= (first === 0xf0 ? 0x90 : 0x80) && second <= (first === 0xf4 ? 0x8f : 0xbf);
    return valid && follows(bytes[at + 2]) && follows(bytes[at + 3]) ? 4 : 0;
  }
  return 0;
}

const follows = (byte: number | undefined) => byte !== undefined && (byte & 0xc0) === 0x80;
