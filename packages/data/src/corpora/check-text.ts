/**
 * The bytes themselves if they are text in UTF-8. Empty and binary ones are errors that name `source`: a NUL byte, or more
 * than a few broken sequences near the start, is taken for a binary file.
 */
export function checkText(bytes: Uint8Array, source: string): Uint8Array {
  if (bytes.length === 0) throw new Error(`data: needs text, and "${source}" is empty`);
  if (bytes.includes(0) || hasBrokenText(bytes.subarray(0, 1 << 16))) {
    throw new Error(`data: needs UTF-8 text, and "${source}" looks binary: convert it, or choose another file`);
  }
  return bytes;
}

/** Whether more than a few sequences are not UTF-8; the end of the sample may cut one. */
function hasBrokenText(sample: Uint8Array): boolean {
  const text = new TextDecoder().decode(sample);
  const broken = text.split("\ufffd").length - 1;
  return broken > 2 + text.length / 100;
}
