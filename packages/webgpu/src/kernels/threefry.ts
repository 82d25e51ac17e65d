/**
 * WGSL of threefry2x32 with 20 rounds (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): two words that are a
 * function of a key and a counter. packages/tensor/src/threefry.ts is the same in TypeScript.
 */
export const threefry = /* wgsl */ `
fn mix(x: vec2u, rotation: u32) -> vec2u {
  let sum = x.x + x.y;
  return vec2u(sum, ((x.y << rotation) | (x.y >> (32u - rotation))) ^ sum);
}
fn evenRounds(x: vec2u) -> vec2u { return mix(mix(mix(mix(x, 13u), 15u), 26u), 6u); }
fn oddRounds(x: vec2u) -> vec2u { return mix(mix(mix(mix(x, 17u), 29u), 16u), 24u); }
fn threefry(k: vec2u, counter: vec2u) -> vec2u {
  let third = k.x ^ k.y ^ 0x1bd11bdau;
  var x = counter + k;
  x = evenRounds(x) + vec2u(k.y, third + 1u);
  x = oddRounds(x) + vec2u(third, k.x + 2u);
  x = evenRounds(x) + vec2u(k.x, k.y + 3u);
  x = oddRounds(x) + vec2u(k.y, third + 4u);
  return evenRounds(x) + vec2u(third, k.x + 5u);
}`;
