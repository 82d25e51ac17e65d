/** A byte as it can be shown: letters as they are, others by a mark. */
export function shownByte(byte: number): string {
  if (byte === 10) return "↵";
  if (byte === 32) return "\u00a0";
  return byte > 32 && byte < 127 ? String.fromCharCode(byte) : "·";
}

/** A byte in words, for those who do not see it. */
export function saidByte(byte: number): string {
  if (byte === 10) return "line break";
  if (byte === 32) return "space";
  return byte > 32 && byte < 127 ? String.fromCharCode(byte) : `byte ${byte}`;
}
