/**
 * Cuts a stream into blocks of about `size` bytes at places where a tokenizer's words end, so that the tokens of the blocks are
 * those of the whole: between a line's end and a line that begins without space, else before a single space, else between
 * characters. Where it cuts depends on the bytes alone, not on the pieces they come in.
 */
export function blockCutter(size = 2 ** 20): { push(bytes: Uint8Array): Uint8Array[]; end(): Uint8Array[] } {
  let waiting: Uint8Array[] = [];
  let length = 0;
  const take = () => {
    const whole = joinBytes(waiting);
    waiting = [];
    length = 0;
    return whole;
  };
  return {
    push(bytes) {
      waiting.push(bytes);
      length += bytes.length;
      if (length < size) return [];
      let rest = take();
      const blocks: Uint8Array[] = [];
      while (rest.length >= size) {
        const cut = splitPoint(rest, size);
        blocks.push(rest.subarray(0, cut));
        rest = rest.subarray(cut);
      }
      if (rest.length > 0) waiting = [rest.slice()];
      length = rest.length;
      return blocks;
    },
    end: () => (length > 0 ? [take()] : []),
  };
}

/** The last good place to cut in the first `size` bytes, not before their second half. */
function splitPoint(bytes: Uint8Array, size: number): number {
  const isSpace = (byte: number) => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
  // Bytes past ASCII may be white space of more bytes: next to them is no place to cut.
  const isPlain = (byte: number) => byte < 0x80 && !isSpace(byte);
  const half = size >> 1;
  for (let at = size - 1; at > half; at--) {
    if (bytes[at - 1] === 0x0a && isPlain(bytes[at]!) && isPlain(bytes[at - 2]!)) return at;
  }
  for (let at = size - 2; at > half; at--) {
    if (bytes[at] === 0x20 && isPlain(bytes[at - 1]!) && isPlain(bytes[at + 1]!)) return at;
  }
  let at = size - 1;
  while (at > size - 4 && (bytes[at]! & 0xc0) === 0x80) at--;
  return at;
}

/** One array of the bytes of several. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const whole = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
