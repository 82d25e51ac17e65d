// Random numbers as functions of a key: threefry2x32 with 20 rounds (Salmon et al. 2011, "Parallel random numbers: as
// easy as 1, 2, 3"), the same numbers as the kernels randomUniform and randomNormal make. Keys are never used up: fold
// the path of a parameter or the number of a step into one to get another.

/** Two u32 words. */
export type Key = readonly [number, number];

/** The key of a seed, an integer of up to 53 bits. */
export function key(seed: number): Key {
  if (!Number.isSafeInteger(seed) || seed < 0) throw new Error(`key: needs a non-negative integer seed, got ${seed}`);
  return [Math.floor(seed / 2 ** 32), seed >>> 0];
}

/** Another key, for a path or a number. Different data give unrelated keys. */
export function fold(key: Key, data: string | number): Key {
  if (typeof data === "number") {
    if (!Number.isSafeInteger(data) || data < 0) throw new Error(`fold: needs a non-negative integer, got ${data}`);
    return threefry(key, [data >>> 0, Math.floor(data / 2 ** 32)]);
  }
  const bytes = new TextEncoder().encode(data);
  // The counters of numbers stay below 2^53, so the top bit keeps texts apart from them.
  let folded = threefry(key, [bytes.length, 0x80000000]);
  for (let at = 0; at < bytes.length; at += 8) folded = threefry(folded, [word(bytes, at), word(bytes, at + 4)]);
  return folded;
}

function word(bytes: Uint8Array, at: number): number {
  let value = 0;
  for (let i = 0; i < 4; i++) value |= (bytes[at + i] ?? 0) << (8 * i);
  return value >>> 0;
}

/** `count` numbers uniform in [0, 1), multiples of 2^-24. */
export function uniforms(key: Key, count: number): Float32Array {
  const values = new Float32Array(count);
  for (let i = 0; i < count; i += 2) {
    const [a, b] = threefry(key, [i / 2, 0]);
    values[i] = (a >>> 8) * 2 ** -24;
    if (i + 1 < count) values[i + 1] = (b >>> 8) * 2 ** -24;
  }
  return values;
}

/** `count` numbers of the standard normal distribution (Box and Muller 1958). */
export function normals(key: Key, count: number): Float32Array {
  const u = uniforms(key, count + (count % 2));
  const values = new Float32Array(count);
  for (let i = 0; i < count; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - u[i]!));
    const angle = 2 * Math.PI * (u[i + 1]! - 0.5);
    values[i] = radius * Math.cos(angle);
    if (i + 1 < count) values[i + 1] = radius * Math.sin(angle);
  }
  return values;
}

const ROTATIONS = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
] as const;

/** The block of random bits of one counter. */
export function threefry(key: Key, counter: Key): Key {
  const keys = [key[0], key[1], key[0] ^ key[1] ^ 0x1bd11bda] as const;
  let a = (counter[0] + key[0]) | 0;
  let b = (counter[1] + key[1]) | 0;
  for (let round = 0; round < 5; round++) {
    for (const rotation of ROTATIONS[round % 2]!) {
      a = (a + b) | 0;
      b = ((b << rotation) | (b >>> (32 - rotation))) ^ a;
    }
    a = (a + keys[(round + 1) % 3]!) | 0;
    b = (b + keys[(round + 2) % 3]! + round + 1) | 0;
  }
  return [a >>> 0, b >>> 0];
}
