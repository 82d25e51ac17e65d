// What attention does with its weights p before they meet values: nothing, or dropout. A kernel's text is the same but for this.

/** How a kernel treats the weights of attention, as pieces of WGSL. */
export interface AttentionWeights {
  /** Functions that the others call. */
  functions: string;
  /** Four weights, or what is multiplied by them, of queries (rows of all, vec4u) and keys (vec4u). */
  four(x: string, queries: string, keys: string): string;
  /** One of them. */
  one(x: string, query: string, key: string): string;
}

/** Weights as they are. */
export const plainWeights: AttentionWeights = { functions: "", four: (x) => x, one: (x) => x };

/**
 * Weights with dropout: 0 where the uniform number of (query, key) is below the rate, else divided by 1 - rate. The number is a
 * function of `dropoutKey` and the two positions alone, so that every pass and every class of kernels draws the same; `threefry` is the WGSL it is drawn with.
 */
export const droppedWeights = (threefry: string): AttentionWeights => ({
  functions: /* wgsl */ `${threefry}
fn droppedOne(x: f32, query: u32, row: u32) -> f32 {
  let word = threefry(vec2u(dropoutKey[0], dropoutKey[1]), vec2u(query, row)).x;
  return select(x / (1.0 - sizes.rate), 0.0, f32(word >> 8u) * 0x1p-24f < sizes.rate);
}
fn droppedFour(x: vec4f, queries: vec4u, rows: vec4u) -> vec4f {
  return vec4f(
    droppedOne(x.x, queries.x, rows.x),
    droppedOne(x.y, queries.y, rows.y),
    droppedOne(x.z, queries.z, rows.z),
    droppedOne(x.w, queries.w, rows.w),
  );
}`,
  four: (x, queries, keys) => `droppedFour(${x}, ${queries}, ${keys})`,
  one: (x, query, key) => `droppedOne(${x}, ${query}, ${key})`,
});
