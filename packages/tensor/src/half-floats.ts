// The two 16-bit formats of weights. IEEE f16 has 5 bits of exponent and 10 of fraction; bf16 is the upper half of an f32.

const word = new Uint32Array(1);
const number = new Float32Array(word.buffer);

/** Numbers rounded to bf16, to the nearest and of two equally near to the even one; NaN stays NaN. */
export function toBfloat16(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return Uint16Array.from(bits, (x) => {
    if ((x & 0x7fffffff) > 0x7f800000) return (x >>> 16) | 0x40;
    return (x + 0x7fff + ((x >>> 16) & 1)) >>> 16;
  });
}

/** Numbers of bf16 words. */
export function fromBfloat16(words: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(words, (x) => x << 16).buffer);
}

/** Numbers rounded to f16, to the nearest and of two equally near to the even one; past 65,519 they become infinite. */
export function toFloat16(values: Float32Array): Uint16Array {
  return Uint16Array.from(values, (value) => {
    number[0] = value;
    const x = word[0]!;
    const sign = (x >>> 16) & 0x8000;
    const size = x & 0x7fffffff;
    if (size > 0x7f800000) return sign | 0x7e00;
    if (size >= 0x477ff000) return sign | 0x7c00;
    if (size >= 0x38800000) return sign | ((size - 0x38000000 + 0xfff + ((size >>> 13) & 1)) >>> 13);
    // Below 2^-14 an f16 is a multiple of 2^-24: adding 0.5 leaves just these in the lowest bits of the sum.
    number[0] = Math.abs(value) + 0.5;
    return sign | (word[0]! - 0x3f000000);
  });
}

/** Numbers of f16 words. */
export function fromFloat16(words: Uint16Array): Float32Array {
  return Float32Array.from(words, (x) => {
    const sign = x & 0x8000 ? -1 : 1;
    const exponent = (x >>> 10) & 0x1f;
    const fraction = x & 0x3ff;
    if (exponent === 0x1f) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
    return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  });
}
