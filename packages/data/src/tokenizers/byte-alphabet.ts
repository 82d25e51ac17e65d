// Byte-level tokenizers write a byte as one printable character, so that tokens can stand in a JSON file: the printable
// bytes of Latin-1 as themselves, the others as the characters from U+0100 on, in order (Radford et al. 2019, GPT-2).

const isPrintable = (byte: number) =>
  (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);

/** The character of each byte. */
export const BYTE_ALPHABET: readonly string[] = (() => {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isPrintable(byte) ? byte : next++));
})();

const byteOf = new Map(BYTE_ALPHABET.map((character, byte) => [character, byte]));

/** Write bytes in the alphabet. */
export function toAlphabet(bytes: Iterable<number>): string {
  let text = "";
  for (const byte of bytes) text += BYTE_ALPHABET[byte];
  return text;
}

/** The bytes that a token in the alphabet stands for; undefined where another character is in it. */
export function fromAlphabet(token: string): Uint8Array | undefined {
  const bytes = new Uint8Array(token.length);
  for (let i = 0; i < token.length; i++) {
    const byte = byteOf.get(token[i]!);
    if (byte === undefined) return undefined;
    bytes[i] = byte;
  }
  return bytes;
}
