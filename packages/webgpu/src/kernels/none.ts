/** In WGSL: the index that stands for no row, no expert and no class. */
export const NONE = "0xffffffffu";
